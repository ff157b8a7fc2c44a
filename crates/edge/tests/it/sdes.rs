//! Keys in descriptions (RFC 4568): who encrypts, with what, and what is refused.

use edge::sdp::{Keying, LocalSrtp, Negotiation, SdpError, SrtpPolicy};
use edge::srtp::{KeySource, Protection, Suite};

use crate::sdp::{fermata, phone};
use SrtpPolicy::{Off, Optional, Required};

const KEY: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
const OTHER_KEY: &str = "inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj";
const PCMA: &str = "a=rtpmap:8 PCMA/8000";

/// A side whose keys may be told, as over TLS.
fn side(policy: SrtpPolicy, secret: u8) -> Negotiation {
    let mut side = Negotiation::new(fermata()).with_srtp(LocalSrtp::new(policy, KeySource::new([secret; 32])));
    side.let_keys_be_told(true);
    side
}

/// What is sent as the first offer, with keys.
fn first_offer(side: &mut Negotiation) -> String {
    let offer = side.first_offers().keyed(Some(Keying::Sdes)).unwrap().to_owned();
    side.sent_first(Some(Keying::Sdes));
    offer
}

fn crypto(rest: &str) -> String {
    format!("a=crypto:{rest}")
}

/// What is answered to an offer of this protocol with these keys: protocol and keys of the answer.
fn answered(policy: SrtpPolicy, protocol: &str, keys: &[String]) -> Result<Vec<String>, SdpError> {
    let mut lines = vec![format!("m=audio 4000 {protocol} 8"), PCMA.to_owned()];
    lines.extend(keys.iter().cloned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    side(policy, 1).answer(phone(&lines).as_bytes()).map(|(answer, _)| shown(&answer))
}

/// The protocol of each stream that is taken, and the tag and suite of each key.
fn shown(description: &str) -> Vec<String> {
    let words = |line: &str, at: &[usize]| {
        let words: Vec<&str> = line.split(' ').collect();
        at.iter().map(|at| words[*at]).collect::<Vec<_>>().join(" ")
    };
    let lines = description.lines().filter_map(|line| match line {
        line if line.starts_with("m=") && words(line, &[1]) == "0" => Some(format!("rejected {}", words(line, &[2]))),
        line if line.starts_with("m=") => Some(words(line, &[2])),
        line => line.strip_prefix("a=crypto:").map(|line| words(line, &[0, 1])),
    });
    lines.collect()
}

#[test]
fn what_each_policy_makes_of_each_offer() {
    let sdes =
        [crypto(&format!("3 AES_CM_128_HMAC_SHA1_32 {KEY}")), crypto(&format!("4 AES_CM_128_HMAC_SHA1_80 {KEY}"))];
    let unknown = [crypto(&format!("1 F8_128_HMAC_SHA1_80 {KEY}"))];
    let encrypted = |protocol: &str| Ok(vec![protocol.to_owned(), "3 AES_CM_128_HMAC_SHA1_32".to_owned()]);
    let plain = |protocol: &str| Ok(vec![protocol.to_owned()]);
    let line = 6;
    for policy in [Optional, Required] {
        for protocol in ["RTP/SAVP", "RTP/SAVPF", "RTP/AVP", "RTP/AVPF"] {
            assert_eq!(answered(policy, protocol, &sdes), encrypted(protocol));
        }
        for keys in [&unknown[..], &[]] {
            assert_eq!(answered(policy, "RTP/SAVP", keys), Err(SdpError::NoCrypto { line }));
        }
    }
    for keys in [&unknown[..], &[]] {
        assert_eq!(answered(Optional, "RTP/AVP", keys), plain("RTP/AVP"));
        assert_eq!(answered(Required, "RTP/AVP", keys), Err(SdpError::Unencrypted { line }));
    }
    assert_eq!(answered(Off, "RTP/SAVP", &sdes), Err(SdpError::EncryptionRefused { line }));
    assert_eq!(answered(Off, "RTP/AVP", &sdes), plain("RTP/AVP"));
    assert_eq!(answered(Optional, "UDP/TLS/RTP/SAVP", &sdes), Err(SdpError::EncryptionRefused { line }));
}

#[test]
fn keys_are_told_over_nothing_but_tls() {
    let offer = phone(&["m=audio 4000 RTP/SAVP 8", PCMA, &crypto(&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}"))]);
    for policy in [Off, Optional, Required] {
        let mut side = side(policy, 1);
        side.let_keys_be_told(false);
        assert_eq!(side.answer(offer.as_bytes()).unwrap_err(), SdpError::EncryptionRefused { line: 6 });
        assert!(!side.offer().contains("crypto"));
    }
}

#[test]
fn of_two_streams_the_encrypted_one_is_taken() {
    let key = crypto(&format!("1 AES_CM_128_HMAC_SHA1_80 {KEY}"));
    let offer = phone(&["m=audio 4000 RTP/AVP 8", PCMA, "m=audio 4002 RTP/SAVP 8", PCMA, &key]);
    let (answer, negotiated) = side(Optional, 1).answer(offer.as_bytes()).unwrap();
    assert_eq!(shown(&answer), ["rejected RTP/AVP", "RTP/SAVP", "1 AES_CM_128_HMAC_SHA1_80"]);
    assert_eq!(negotiated.remote_rtp.port(), 4002);
    let (answer, _) = side(Off, 1).answer(offer.as_bytes()).unwrap();
    assert_eq!(shown(&answer), ["RTP/AVP", "rejected RTP/SAVP"]);
}

#[test]
fn the_first_offer_is_written_for_each_way_it_may_be_sent() {
    let offers = |policy: SrtpPolicy| {
        let offers = side(policy, 1).first_offers();
        (offers.keyed(None).map(shown), offers.keyed(Some(Keying::Sdes)).map(|offer| shown(offer).len()))
    };
    let plain = Some(vec!["RTP/AVP".to_owned()]);
    assert_eq!(offers(Off), (plain.clone(), None));
    assert_eq!(offers(Optional), (plain, Some(1 + Suite::ALL.len())));
    assert_eq!(offers(Required), (None, Some(1 + Suite::ALL.len())));
}

/// Lets two sides agree, and returns whether what one says reaches the other and nobody else.
fn are_private(caller: &Negotiation, callee: &Negotiation) -> bool {
    let (Some(ours), Some(theirs)) = (caller.keys(), callee.keys()) else { return false };
    let (mut ours, mut theirs) = (Protection::new(ours), Protection::new(theirs));
    let packet = [0x80, 8, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    let (mut sealed, mut opened) = (Vec::new(), Vec::new());
    [(&mut ours, &mut theirs)].into_iter().all(|(from, to)| {
        from.protect(&packet, &mut sealed).is_ok() && to.unprotect(&sealed, &mut opened).is_ok() && opened == packet
    }) && theirs.protect(&packet, &mut sealed).is_ok()
        && ours.unprotect(&sealed, &mut opened).is_ok()
}

#[test]
fn two_of_us_agree_on_keys_in_each_direction() {
    for (caller, callee) in [(Optional, Optional), (Required, Optional), (Optional, Required), (Required, Required)] {
        let (mut caller, mut callee) = (side(caller, 1), side(callee, 2));
        let offer = first_offer(&mut caller);
        let (answer, _) = callee.answer(offer.as_bytes()).unwrap();
        caller.accept_answer(answer.as_bytes()).unwrap();
        assert!(are_private(&caller, &callee));
        assert_ne!(caller.keys().unwrap().ours, caller.keys().unwrap().theirs);
    }
}

#[test]
fn only_the_suites_that_are_wished_are_offered_and_taken() {
    let wishing = |suites: &[Suite]| {
        let srtp = LocalSrtp::new(Required, KeySource::new([1; 32])).with_suites(suites.to_vec());
        let mut side = Negotiation::new(fermata()).with_srtp(srtp);
        side.let_keys_be_told(true);
        side
    };
    let weak = wishing(&[Suite::AesCm128HmacSha1Tag32]).offer();
    assert_eq!(shown(&weak), ["RTP/SAVP", "1 AES_CM_128_HMAC_SHA1_32"]);
    let refused = wishing(&[Suite::AeadAes256Gcm]).answer(weak.as_bytes()).unwrap_err();
    assert!(matches!(refused, SdpError::NoCrypto { .. }));
    for suite in Suite::ALL {
        let (mut caller, mut callee) = (wishing(&Suite::ALL), wishing(&[suite]));
        let offer = first_offer(&mut caller);
        let (answer, _) = callee.answer(offer.as_bytes()).unwrap();
        caller.accept_answer(answer.as_bytes()).unwrap();
        assert!(are_private(&caller, &callee) && callee.keys().unwrap().ours.suite() == suite);
    }
}

#[test]
fn who_was_offered_clear_sound_cannot_answer_with_keys() {
    let mut caller = side(Optional, 1);
    caller.first_offers();
    caller.sent_first(None);
    let answer = ["m=audio 4000 RTP/AVP 8", PCMA, &crypto(&format!("1 AEAD_AES_256_GCM {KEY}"))];
    caller.accept_answer(phone(&answer).as_bytes()).unwrap();
    assert_eq!(caller.keys(), None);
}

#[test]
fn an_answer_must_take_a_key_that_was_offered() {
    let accept = |policy: SrtpPolicy, lines: &[&str]| {
        let mut caller = side(policy, 1);
        first_offer(&mut caller);
        caller.accept_answer(phone(lines).as_bytes()).map(|_| caller.keys().is_some())
    };
    let line = 6;
    let [good, other_tag, other_suite] =
        ["4 AES_CM_128_HMAC_SHA1_80", "3 AES_CM_128_HMAC_SHA1_80", "4 AES_CM_128_HMAC_SHA1_32"]
            .map(|start| crypto(&format!("{start} {KEY}")));
    for policy in [Optional, Required] {
        assert_eq!(accept(policy, &["m=audio 4000 RTP/SAVP 8", PCMA, &good]), Ok(true));
        for wrong in [&other_tag, &other_suite] {
            assert_eq!(accept(policy, &["m=audio 4000 RTP/SAVP 8", PCMA, wrong]), Err(SdpError::NoCrypto { line }));
        }
        assert_eq!(accept(policy, &["m=audio 4000 RTP/SAVP 8", PCMA]), Err(SdpError::NoCrypto { line }));
    }
    assert_eq!(accept(Optional, &["m=audio 4000 RTP/AVP 8", PCMA]), Ok(false));
    assert_eq!(accept(Required, &["m=audio 4000 RTP/AVP 8", PCMA]), Err(SdpError::Unencrypted { line }));
}

/// The phone offers itself with this key, and is answered.
fn reinvited(side: &mut Negotiation, suite: &str, key: &str) -> String {
    let offer = phone(&["m=audio 4000 RTP/SAVP 8", PCMA, &crypto(&format!("1 {suite} {key}"))]);
    let (answer, _) = side.answer(offer.as_bytes()).unwrap();
    answer
}

#[test]
fn a_hold_by_the_phone_keeps_our_key_and_a_new_key_of_the_phones_changes_its_own_only() {
    let mut side = side(Required, 1);
    let suite = "AES_CM_128_HMAC_SHA1_80";
    let first = reinvited(&mut side, suite, KEY);
    let keys = side.keys().cloned().unwrap();
    assert_eq!(reinvited(&mut side, suite, KEY), first);
    reinvited(&mut side, suite, OTHER_KEY);
    assert_eq!(side.keys().unwrap().ours, keys.ours);
    assert_ne!(side.keys().unwrap().theirs, keys.theirs);
    assert_eq!(shown(&side.offer()), ["RTP/SAVP", "1 AES_CM_128_HMAC_SHA1_80"], "our own offer tells the key in force");
    assert_eq!(side.keys().unwrap().ours, keys.ours);
}

#[test]
fn a_key_of_ours_is_never_used_for_two_streams() {
    let mut side = side(Optional, 1);
    let mut used = Vec::new();
    for suite in ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_CM_128_HMAC_SHA1_80"] {
        reinvited(&mut side, suite, KEY);
        used.push(side.keys().unwrap().ours.clone());
    }
    side.answer(phone(&["m=audio 4000 RTP/AVP 8", PCMA]).as_bytes()).unwrap();
    assert_eq!(side.keys(), None);
    reinvited(&mut side, "AES_CM_128_HMAC_SHA1_80", KEY);
    used.push(side.keys().unwrap().ours.clone());
    for (at, key) in used.iter().enumerate() {
        assert!(!used[..at].contains(key), "{at}");
    }
}

#[test]
fn audio_that_ends_and_comes_back_goes_on_under_its_key() {
    let mut side = side(Required, 1);
    reinvited(&mut side, "AEAD_AES_128_GCM", "inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYg==");
    let keys = side.keys().cloned();
    side.answer(phone(&["m=audio 0 RTP/SAVP 8", PCMA]).as_bytes()).unwrap();
    assert_eq!(side.keys().cloned(), keys);
    reinvited(&mut side, "AEAD_AES_128_GCM", "inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYg==");
    assert_eq!(side.keys().cloned(), keys);
}

#[test]
fn a_refused_change_leaves_the_keys_in_force() {
    let mut side = side(Required, 1);
    reinvited(&mut side, "AES_CM_128_HMAC_SHA1_80", KEY);
    let keys = side.keys().cloned();
    let in_clear = side.answer(phone(&["m=audio 4000 RTP/AVP 8", PCMA]).as_bytes());
    assert_eq!(in_clear.unwrap_err(), SdpError::Unencrypted { line: 6 });
    assert_eq!(side.keys().cloned(), keys);
}

#[test]
fn the_session_is_refreshed_with_the_description_that_was_sent() {
    let (mut caller, mut callee) = (side(Optional, 1), side(Optional, 2));
    let offer = first_offer(&mut caller);
    let (answer, _) = callee.answer(offer.as_bytes()).unwrap();
    caller.accept_answer(answer.as_bytes()).unwrap();
    let keys = caller.keys().cloned();
    let (answer, _) = callee.answer(offer.as_bytes()).unwrap();
    caller.accept_refresh(answer.as_bytes()).unwrap();
    assert_eq!(caller.keys().cloned(), keys);
    assert!(are_private(&caller, &callee));
}

#[test]
fn keys_are_not_printed_by_debug() {
    let (mut caller, mut callee) = (side(Optional, 1), side(Optional, 2));
    let offers = caller.first_offers();
    caller.sent_first(Some(Keying::Sdes));
    let (answer, _) = callee.answer(offers.keyed(Some(Keying::Sdes)).unwrap().as_bytes()).unwrap();
    caller.accept_answer(answer.as_bytes()).unwrap();
    let printed = format!("{offers:?} {caller:?} {callee:?} {:?}", caller.keys());
    let keys = answer.lines().find_map(|line| line.split("inline:").nth(1)).unwrap();
    assert!(!printed.contains(keys) && !printed.contains("inline"), "{printed}");
}
