//! `--stay`: the phones are called again, and whoever sits at the terminal may hold one of them.

use std::time::Duration;

use super::application::Application;
use super::phase::HELD;
use super::phones::Phones;
use super::place::Place;
use super::screen::Screen;
use crate::bot::{Bot, Call, Credentials, Participant};
use crate::run::Server;

/// How often the bot says that the call is still wanted. Graph ends it after 45 minutes of silence and asks for a third
/// of that.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15 * 60);

/// Calls the phones, says how one of them can be held, and stays in the call.
///
/// # Errors
///
/// If the call does not come about, or the server ends it.
pub(super) async fn stay(
    application: &mut Application,
    server: &Server,
    place: &Place,
    phones: &Phones,
    screen: &Screen,
) -> anyhow::Result<()> {
    screen.line("");
    let call = application.call(&phones.uris()).await?;
    let held = application.wait_for_all(&call, &phones.uris(), phones.of(HELD).uri()).await?;
    instructions(&application.bot, server, place, &held).iter().for_each(|line| screen.line(line));
    screen.go_on("Ctrl-C ends it all");
    keep_up(application, &call).await
}

async fn keep_up(application: &mut Application, call: &Call) -> anyhow::Result<()> {
    loop {
        // Listening has no end of its own.
        let _ = tokio::time::timeout(KEEP_ALIVE_EVERY, application.only_listen()).await;
        application.bot.keep_alive(call).await?;
    }
}

fn instructions(bot: &Bot, server: &Server, place: &Place, held: &Participant) -> Vec<String> {
    let url = format!("http://{}", server.http_address());
    let taken = place.taken.iter().map(|address| format!("  {address} is taken: a free port is used instead."));
    let (prompt, name) = (bot.music_prompt(), HELD.name());
    let steps = [
        "  The server stays up, with the phones in a new call.".to_owned(),
        format!("  API {url}/v1.0   SIP {}", server.sip_address()),
        format!("  Console {url}/ (alice, fermata-dev)"),
        String::new(),
        "  A token:".to_owned(),
        token_command(bot, &url),
        format!("  Hold {name}:"),
        post_command(&format!("{url}{}/startHoldMusic", held.path), &format!("{{\"customPrompt\":{prompt}}}")),
        format!("  Take {name} back:"),
        post_command(&format!("{url}{}/stopHoldMusic", held.path), "{}"),
    ];
    std::iter::once(String::new()).chain(taken).chain(steps).collect()
}

fn post_command(url: &str, body: &str) -> String {
    let headers = "-H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json'";
    format!("    curl -i {headers} \\\n      -d '{body}' \\\n      {url}")
}

fn token_command(bot: &Bot, url: &str) -> String {
    let Credentials { tenant, app, secret } = bot.credentials();
    let who = format!("-d grant_type=client_credentials -d client_id={app}");
    let what = format!("-d client_secret={secret} -d scope=https://graph.microsoft.com/.default");
    let extract = r#"sed -E 's/.*"access_token":"([^"]+)".*/\1/'"#;
    format!("    TOKEN=$(curl -s {who} \\\n      {what} \\\n      {url}/{tenant}/oauth2/v2.0/token | {extract})")
}
