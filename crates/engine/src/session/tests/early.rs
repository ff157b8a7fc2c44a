//! Offers that phones make before they take the call.

use super::*;
use crate::leg::{EarlyOffer, Leg};
use edge::sdp::Keying;

/// A leg of ours, what it offers to a phone that is signalled so, and the phone.
fn leg_and_phone(srtp: SrtpPolicy) -> (Leg, String, Negotiation) {
    let [ours, theirs] = [20_000, 30_000].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let random = LegRandom { transmit: TransmitStart { ssrc: 1, sequence: 1, timestamp: 1 }, session_id: 1 };
    let mut leg = Leg::new(LegId(1), ours, random, LocalSrtp::new(srtp, KeySource::new([1; 32])));
    let offers = leg.first_offers();
    let keying = keying(srtp);
    let local = local(theirs, Codec::Pcmu, sdp::Direction::Inactive);
    let mut phone = Negotiation::new(local).with_srtp(LocalSrtp::new(srtp, KeySource::new([2; 32])));
    phone.let_keys_be_told(keying.is_some());
    let offer = offers.keyed(keying).expect("it is offered").to_owned();
    (leg, offer, phone)
}

fn keying(srtp: SrtpPolicy) -> Option<Keying> {
    (srtp != SrtpPolicy::Off).then_some(Keying::Sdes)
}

fn early(srtp: SrtpPolicy, said: &[Vec<u8>], description: &[u8]) -> EarlyOffer {
    let offered = keying(srtp);
    EarlyOffer { said: said.to_vec(), description: description.to_vec(), may_tell_keys: offered.is_some(), offered }
}

#[test]
fn an_early_offer_is_answered_as_if_the_call_were_taken_and_nothing_changes_before() {
    for srtp in [SrtpPolicy::Off, SrtpPolicy::Required] {
        let (mut leg, offer, mut phone) = leg_and_phone(srtp);
        let now = Instant::now();
        let (answer, _) = phone.answer(offer.as_bytes()).expect("our offer is good");
        phone.set_rtp_port(30_002);
        phone.wish(sdp::Direction::SendRecv);
        let update = phone.offer().into_bytes();
        let said = vec![answer.into_bytes()];
        let answered = leg.answer_early(&early(srtp, &said, &update)).expect("it is taken");
        phone.accept_answer(answered.as_bytes()).expect("our answer is good");
        assert_eq!(leg.agreed(), None);

        leg.let_keys_be_told(keying(srtp).is_some());
        leg.sent_first(keying(srtp));
        leg.accept(&said[0], now).expect("the call is taken");
        let (later, agreed) = leg.answer(&update, now).expect("it was taken before");
        assert_eq!(later, answered, "what was said must hold");
        assert!(agreed.remote_sends && agreed.remote_rtp.port() == 30_002);
    }
}

#[test]
fn an_early_offer_of_no_use_is_refused() {
    let (leg, offer, mut phone) = leg_and_phone(SrtpPolicy::Off);
    let (answer, _) = phone.answer(offer.as_bytes()).expect("our offer is good");
    assert!(leg.answer_early(&early(SrtpPolicy::Off, &[answer.into_bytes()], b"v=0\r\n")).is_err());
    assert!(leg.answer_early(&early(SrtpPolicy::Off, &[], offer.as_bytes())).is_err());
}
