//! Every answer is as the OpenAPI document says: schemathesis asks what it likes, and checks each answer against it.

use crate::harness::{Bot, Conversation, Server, TENANT, Trio, python, run};

#[test]
fn every_answer_is_as_the_document_says() {
    let (server, phones) = (Server::start(), Trio::start());
    let bot = Bot::of(&server);
    let call = Conversation::of(&bot, &phones.uris());
    let participant = call.participant(phones.bob.uri());
    let operation = call.hold(&participant, None);
    let url = format!("http://{}", server.http());
    let mut schemathesis = python("contract");
    schemathesis.args(["-m", "schemathesis.cli", "run"]).arg(format!("{url}/fermata/v1/openapi.json"));
    schemathesis.env("FERMATA_URL", url).env("FERMATA_TENANT", TENANT).env("FERMATA_CALL", call.id());
    schemathesis.env("FERMATA_PARTICIPANT", participant).env("FERMATA_OPERATION", operation.id);
    run(&mut schemathesis);
}
