//! Phones of users that register over TLS and encrypt what they say.

use std::net::Ipv4Addr;

use phone::{Codec, Config, Observation, Phone, Register, Speech, SrtpPolicy, Suite, Transport, trusting};

use super::PATIENCE;
use super::ears::{SPOKEN_DBFS, go_first};
use super::server::Server;

/// Switches a phone of a user's on that trusts the server's local authority, and waits until it is registered.
pub(crate) fn encrypted(server: &Server, user: &str, codec: Codec, hz: u32, srtp: SrtpPolicy) -> Phone {
    encrypted_by(server, user, codec, hz, srtp, &Suite::ALL)
}

/// The same, and the phone knows these suites only.
pub(crate) fn encrypted_by(
    server: &Server,
    user: &str,
    codec: Codec,
    hz: u32,
    srtp: SrtpPolicy,
    suites: &[Suite],
) -> Phone {
    go_first();
    let register = Register { server: server.sips(), user: user.to_owned(), password: "fermata-dev".to_owned() };
    let config = Config {
        transport: Transport::Tls,
        tls: Some(trusting(&server.data().join("ca.pem")).expect("the server has made its authority")),
        srtp,
        suites: suites.to_vec(),
        register: Some(register),
        speaks: Speech::Tone { hz, level_dbfs: SPOKEN_DBFS },
        codecs: vec![codec],
        ..Config::new(user, Ipv4Addr::LOCALHOST.into())
    };
    let phone = Phone::start(config).expect("there are sockets for a phone");
    phone.wait_until(PATIENCE, Observation::is_registered).expect("it registers over TLS");
    phone
}
