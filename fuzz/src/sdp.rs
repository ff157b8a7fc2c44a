//! A session description, as an offer and as an answer.

use edge::sdp::{Direction, Local, LocalSrtp, Negotiation, SrtpPolicy, accept_answer, answer};
use edge::srtp::KeySource;
use media::Codec;

pub(crate) fn run(bytes: &[u8]) {
    let local = Local {
        address: "192.0.2.1".parse().expect("an address"),
        rtp_port: 20_000,
        session_id: 1,
        version: 1,
        codecs: vec![Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma],
        direction: Direction::SendRecv,
    };
    // As an answer it is good or it is not; nothing more is to be known.
    let _ = accept_answer(&local, bytes);
    encrypted(&local, bytes);
    let Ok((text, negotiated)) = answer(&local, bytes) else { return };
    assert!(!text.contains("\nc=IN IP4 0.0.0.0"), "the old way to hold is understood and never used");
    assert_eq!(
        streams(&text),
        streams(&String::from_utf8_lossy(bytes)),
        "one stream for each offered (RFC 3264 section 6)"
    );
    assert!(!negotiated.remote_listens || !negotiated.remote_rtp.ip().is_unspecified(), "nothing is sent to nowhere");
}

/// With keys that may be told, what is agreed on is encrypted: never in clear.
fn encrypted(local: &Local, bytes: &[u8]) {
    let srtp = LocalSrtp::new(SrtpPolicy::Required, KeySource::new([1; 32]));
    let mut negotiation = Negotiation::new(local.clone()).with_srtp(srtp);
    negotiation.let_keys_be_told(true);
    assert_eq!(negotiation.answer(bytes).is_ok(), negotiation.keys().is_some());
    negotiation.offer();
    let _ = negotiation.accept_answer(bytes);
}

fn streams(description: &str) -> usize {
    description.split('\n').filter(|line| line.starts_with("m=")).count()
}
