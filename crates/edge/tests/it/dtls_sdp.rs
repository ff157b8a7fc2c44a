//! Handshakes in descriptions (RFC 5763, RFC 8842): who begins, with whom, and what makes another association.

use edge::dtls::{Certificate, Fingerprint, HashFunction, Role, Terms};
use edge::sdp::{Encryption, Keying, LocalSrtp, Negotiation, SdpError, SrtpPolicy};
use edge::srtp::KeySource;

use crate::sdp::{fermata, phone};
use Keying::{Dtls, Sdes};
use SrtpPolicy::{Off, Optional, Required};

const KEY: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
const PCMA: &str = "a=rtpmap:8 PCMA/8000";
const AVP: &str = "m=audio 4000 RTP/AVP 8";
const SAVP: &str = "m=audio 4000 RTP/SAVP 8";
const DTLS: &str = "m=audio 4000 UDP/TLS/RTP/SAVP 8";

/// The line where the stream begins.
const LINE: usize = 6;

fn srtp(policy: SrtpPolicy, accepts: &[Keying], offers: &[Keying]) -> LocalSrtp {
    LocalSrtp::new(policy, KeySource::new([1; 32])).with_handshakes(
        Certificate::generate().unwrap(),
        accepts.to_vec(),
        offers.to_vec(),
    )
}

fn side_of(srtp: LocalSrtp) -> Negotiation {
    let mut side = Negotiation::new(fermata()).with_srtp(srtp);
    side.let_keys_be_told(true);
    side
}

fn side(policy: SrtpPolicy) -> Negotiation {
    side_of(srtp(policy, &[Sdes, Dtls], &[Dtls]))
}

fn terms(side: &Negotiation) -> &Terms {
    match side.encryption() {
        Some(Encryption::Handshake(terms)) => terms,
        other => panic!("no handshake: {other:?}"),
    }
}

/// The value of an attribute in a description.
fn value<'a>(description: &'a str, name: &str) -> Option<&'a str> {
    description.lines().find_map(|line| line.strip_prefix(&format!("a={name}:")))
}

/// The fingerprint of somebody else, as a line.
fn fingerprint() -> String {
    format!("a=fingerprint:{}", Certificate::generate().unwrap().fingerprint())
}

fn description(stream: &str, lines: &[&str]) -> String {
    phone(&[&[stream, PCMA], lines].concat())
}

fn refusal(policy: SrtpPolicy, stream: &str, lines: &[&str]) -> SdpError {
    side(policy).answer(description(stream, lines).as_bytes()).unwrap_err()
}

/// Offers, is answered, and returns offer and answer.
fn agree(caller: &mut Negotiation, callee: &mut Negotiation) -> (String, String) {
    let offer = match caller.agreed() {
        Some(_) => caller.offer(),
        None => {
            let offer = caller.first_offers().keyed(Some(Dtls)).unwrap().to_owned();
            caller.sent_first(Some(Dtls));
            offer
        }
    };
    let (answer, _) = callee.answer(offer.as_bytes()).unwrap();
    caller.accept_answer(answer.as_bytes()).unwrap();
    (offer, answer)
}

#[test]
fn two_of_us_agree_on_who_begins_and_who_is_who() {
    let (mut caller, mut callee) = (side(Required), side(Optional));
    let (offer, answer) = agree(&mut caller, &mut callee);
    assert!(offer.contains("UDP/TLS/RTP/SAVP") && !offer.contains("crypto") && answer.contains("UDP/TLS/RTP/SAVP"));
    assert_eq!((value(&offer, "setup"), value(&answer, "setup")), (Some("actpass"), Some("passive")));
    assert_eq!((terms(&caller).role, terms(&callee).role), (Role::Client, Role::Server));
    assert_eq!(terms(&caller).fingerprints, [terms(&callee).certificate.fingerprint().clone()]);
    assert_eq!(terms(&callee).fingerprints, [terms(&caller).certificate.fingerprint().clone()]);
    assert_eq!(terms(&caller).remote_tls_id.as_ref(), Some(&terms(&callee).tls_id));
    assert_eq!(terms(&callee).remote_tls_id.as_ref(), Some(&terms(&caller).tls_id));
    assert!(value(&offer, "tls-id").unwrap().len() >= 20, "RFC 8842 section 4.1");
}

#[test]
fn the_same_association_goes_on_through_holds_whoever_offers() {
    let (mut caller, mut callee) = (side(Required), side(Required));
    agree(&mut caller, &mut callee);
    let [of_caller, of_callee] = [&caller, &callee].map(|side| terms(side).clone());
    caller.wish(edge::sdp::Direction::SendOnly);
    let (offer, answer) = agree(&mut caller, &mut callee);
    assert_eq!((value(&offer, "setup"), value(&answer, "setup")), (Some("active"), Some("passive")));
    let (offer, answer) = agree(&mut callee, &mut caller);
    assert_eq!((value(&offer, "setup"), value(&answer, "setup")), (Some("passive"), Some("active")));
    assert_eq!((terms(&caller), terms(&callee)), (&of_caller, &of_callee));
}

#[test]
fn the_peer_decides_who_begins_if_it_says_so() {
    let fingerprint = fingerprint();
    let role = |setup: &[&str]| {
        let mut side = side(Optional);
        let lines = [&[fingerprint.as_str()], setup].concat();
        let (answer, _) = side.answer(description(DTLS, &lines).as_bytes()).unwrap();
        (terms(&side).role, value(&answer, "setup").unwrap().to_owned())
    };
    let (active, passive) = ("active".to_owned(), "passive".to_owned());
    assert_eq!(role(&["a=setup:active"]), (Role::Server, passive.clone()));
    assert_eq!(role(&["a=setup:passive"]), (Role::Client, active));
    assert_eq!(role(&["a=setup:actpass"]), (Role::Server, passive.clone()));
    assert_eq!(role(&[]), (Role::Server, passive), "RFC 4145 section 4");
    assert_eq!(refusal(Optional, DTLS, &[&fingerprint, "a=setup:holdconn"]), SdpError::Setup { line: LINE });
}

#[test]
fn an_actpass_of_the_peer_leaves_our_part_as_it_is() {
    let fingerprint = fingerprint();
    let mut side = side(Optional);
    for (setup, answered) in
        [("passive", "active"), ("actpass", "active"), ("active", "passive"), ("actpass", "passive")]
    {
        let offer = description(DTLS, &[&fingerprint, &format!("a=setup:{setup}")]);
        let (answer, _) = side.answer(offer.as_bytes()).unwrap();
        assert_eq!(value(&answer, "setup"), Some(answered), "{setup}");
    }
}

#[test]
fn another_fingerprint_name_or_part_is_another_association() {
    let (one, other) = (fingerprint(), fingerprint());
    let mut side = side(Optional);
    let mut before: Option<Terms> = None;
    let offers: [(&[&str], bool); 8] = [
        (&[&one, "a=setup:actpass"], true),
        (&[&one, "a=setup:actpass", "a=sendonly"], false),
        (&[&one, "a=setup:actpass", "a=tls-id:first-name-of-association"], false),
        (&[&other, "a=setup:actpass"], true),
        (&[&other, "a=setup:passive"], true),
        (&[&one, "a=setup:active", "a=tls-id:first-name-of-association"], true),
        (&[&one, "a=setup:active", "a=tls-id:other-name-of-association"], true),
        (&[&one, "a=setup:active", "a=tls-id:other-name-of-association"], false),
    ];
    for (lines, is_new) in offers {
        let (answer, _) = side.answer(description(DTLS, lines).as_bytes()).unwrap();
        let terms = terms(&side).clone();
        assert_eq!(before.as_ref() != Some(&terms), is_new, "{lines:?}");
        let is_renamed = before.as_ref().is_some_and(|before| before.tls_id != terms.tls_id);
        assert_eq!(is_renamed, is_new && before.is_some(), "each association has a name of its own");
        let names_itself = lines.iter().any(|line| line.starts_with("a=tls-id"));
        assert_eq!(value(&answer, "tls-id"), names_itself.then_some(terms.tls_id.as_str()), "RFC 8842 section 5.3");
        before = Some(terms);
    }
}

#[test]
fn fingerprints_above_the_streams_hold_for_them_and_old_hashes_for_nothing() {
    let fingerprint = fingerprint();
    let above = phone(&[&fingerprint, "a=setup:passive", DTLS, PCMA]);
    let mut side = side(Required);
    side.answer(above.as_bytes()).unwrap();
    assert_eq!(terms(&side).role, Role::Client);
    let sha_1 = "a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";
    for lines in [&[sha_1][..], &[]] {
        assert_eq!(refusal(Optional, DTLS, lines), SdpError::NoFingerprint { line: LINE });
    }
    let several = [HashFunction::Sha256, HashFunction::Sha512].map(|hash| Fingerprint::of(hash, b"a certificate"));
    let [sha_256, sha_512] = several.each_ref().map(|fingerprint| format!("a=fingerprint:{fingerprint}"));
    side.answer(description(DTLS, &[sha_1, &sha_256, &sha_512]).as_bytes()).unwrap();
    assert_eq!(terms(&side).fingerprints, several);
}

#[test]
fn what_each_policy_makes_of_each_profile() {
    let fingerprint = fingerprint();
    let lines = [fingerprint.as_str(), "a=setup:actpass"];
    let is_handshake = |policy: SrtpPolicy, stream: &str| {
        let mut side = side(policy);
        let answered = side.answer(description(stream, &lines).as_bytes());
        answered.map(|_| matches!(side.encryption(), Some(Encryption::Handshake(_))))
    };
    for stream in [DTLS, "m=audio 4000 UDP/TLS/RTP/SAVPF 8", SAVP, "m=audio 4000 RTP/SAVPF 8", AVP] {
        assert_eq!(is_handshake(Optional, stream), Ok(true), "{stream}");
        assert_eq!(is_handshake(Required, stream), Ok(true), "{stream}");
    }
    assert_eq!(is_handshake(Off, AVP), Ok(false));
    assert_eq!(is_handshake(Off, DTLS), Err(SdpError::EncryptionRefused { line: LINE }));
    let mut without = side_of(srtp(Optional, &[Sdes], &[Sdes]));
    let refused = without.answer(description(DTLS, &lines).as_bytes()).unwrap_err();
    assert_eq!(refused, SdpError::EncryptionRefused { line: LINE });
}

#[test]
fn a_handshake_needs_no_secret_signalling() {
    let fingerprint = fingerprint();
    let mut side = side(Required);
    side.let_keys_be_told(false);
    side.answer(description(SAVP, &[KEY, &fingerprint, "a=setup:active"]).as_bytes()).unwrap();
    assert_eq!(terms(&side).role, Role::Server);
}

#[test]
fn of_several_ways_the_one_that_we_like_best_is_taken_and_stays() {
    let fingerprint = fingerprint();
    let both = description(SAVP, &[KEY, &fingerprint, "a=setup:actpass"]);
    let two = phone(&[SAVP, PCMA, KEY, "m=audio 4002 UDP/TLS/RTP/SAVP 8", PCMA, &fingerprint, "a=setup:actpass"]);
    for offer in [&both, &two] {
        for (accepts, is_handshake) in [([Sdes, Dtls], false), ([Dtls, Sdes], true)] {
            let mut side = side_of(srtp(Optional, &accepts, &[]));
            side.answer(offer.as_bytes()).unwrap();
            assert_eq!(side.keys().is_none(), is_handshake, "{accepts:?}");
        }
    }
    let mut side = side(Optional);
    side.answer(description(DTLS, &[&fingerprint, "a=setup:actpass"]).as_bytes()).unwrap();
    side.answer(both.as_bytes()).unwrap();
    assert!(side.keys().is_none(), "what is in use goes on, as long as it is offered");
}

#[test]
fn offers_are_written_in_the_order_that_is_wished_and_clear_ones_last() {
    let keyings = |policy: SrtpPolicy, offers: &[Keying]| {
        let offers = side_of(srtp(policy, &[], offers)).first_offers();
        let mut keyings = Vec::new();
        let _ = offers.best(|keying| {
            keyings.push(keying);
            false
        });
        keyings
    };
    assert_eq!(keyings(Optional, &[Sdes]), [Some(Sdes), None]);
    assert_eq!(keyings(Optional, &[Dtls, Sdes]), [Some(Dtls), Some(Sdes), None]);
    assert_eq!(keyings(Required, &[Sdes, Dtls]), [Some(Sdes), Some(Dtls)]);
    assert_eq!(keyings(Off, &[Sdes, Dtls]), [None]);
}

#[test]
fn an_answer_must_take_the_handshake_up() {
    let fingerprint = fingerprint();
    let answered = |policy: SrtpPolicy, stream: &str, lines: &[&str]| {
        let mut side = side(policy);
        side.first_offers();
        side.sent_first(Some(Dtls));
        side.accept_answer(description(stream, lines).as_bytes()).map(|_| side.encryption().map(|_| terms(&side).role))
    };
    let line = LINE;
    assert_eq!(answered(Required, DTLS, &[&fingerprint, "a=setup:active"]), Ok(Some(Role::Server)));
    assert_eq!(answered(Required, DTLS, &[&fingerprint, "a=setup:passive"]), Ok(Some(Role::Client)));
    assert_eq!(answered(Required, DTLS, &[&fingerprint]), Ok(Some(Role::Client)), "RFC 4145 section 4");
    assert_eq!(answered(Optional, DTLS, &[&fingerprint, "a=setup:actpass"]), Err(SdpError::Setup { line }));
    assert_eq!(answered(Optional, DTLS, &["a=setup:active"]), Err(SdpError::NoFingerprint { line }));
    assert_eq!(answered(Optional, DTLS, &[KEY]), Err(SdpError::NoFingerprint { line }));
    assert_eq!(answered(Optional, SAVP, &[KEY]), Err(SdpError::NoCrypto { line }), "no keys were offered");
    assert_eq!(answered(Optional, AVP, &[]), Ok(None));
    assert_eq!(answered(Required, AVP, &[]), Err(SdpError::Unencrypted { line }));
}

#[test]
fn who_was_not_offered_a_handshake_cannot_answer_with_one() {
    let fingerprint = fingerprint();
    for keying in [None, Some(Sdes)] {
        let mut side = side_of(srtp(Optional, &[Sdes, Dtls], &[Sdes]));
        side.first_offers();
        side.sent_first(keying);
        let answer = description(AVP, &[&fingerprint, "a=setup:active"]);
        side.accept_answer(answer.as_bytes()).unwrap();
        assert_eq!(side.encryption(), None);
    }
}

#[test]
fn the_session_is_refreshed_whatever_was_sent_last() {
    let fingerprint = fingerprint();
    let offer = description(DTLS, &[&fingerprint, "a=setup:active"]);
    let mut side = side(Required);
    side.answer(offer.as_bytes()).unwrap();
    let before = terms(&side).clone();
    side.accept_refresh(offer.as_bytes()).unwrap();
    assert_eq!(terms(&side), &before);
}
