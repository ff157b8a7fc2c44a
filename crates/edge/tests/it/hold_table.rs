//! The hold table, whole: every wish of ours, everything a peer can say, in every way it can say it, in both roles.

use edge::sdp::{Direction, Local, Negotiated, Role, Said, accept_answer, agree, answer};

use crate::sdp::{fermata, phone};
use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};

/// One row of RFC 3264 §6.1 and §8.4.
struct Row {
    wished: Direction,
    said: Direction,
    /// What we answer, and what is in force if we have offered.
    agreed: Direction,
    /// Whether the peer holds us, if it has offered, and if it has answered.
    holds: [bool; 2],
}

const fn row(wished: Direction, said: Direction, agreed: Direction, holds: [bool; 2]) -> Row {
    Row { wished, said, agreed, holds }
}

const YES: [bool; 2] = [true, true];
const NO: [bool; 2] = [false, false];
/// An answer to somebody who does not send cannot listen, so it is no hold.
const AS_OFFER: [bool; 2] = [true, false];

const TABLE: [Row; 16] = [
    row(SendRecv, SendRecv, SendRecv, NO),
    row(SendRecv, SendOnly, RecvOnly, YES),
    row(SendRecv, RecvOnly, SendOnly, NO),
    row(SendRecv, Inactive, Inactive, YES),
    row(SendOnly, SendRecv, SendOnly, NO),
    row(SendOnly, SendOnly, Inactive, YES),
    row(SendOnly, RecvOnly, SendOnly, NO),
    row(SendOnly, Inactive, Inactive, YES),
    row(RecvOnly, SendRecv, RecvOnly, NO),
    row(RecvOnly, SendOnly, RecvOnly, AS_OFFER),
    row(RecvOnly, RecvOnly, Inactive, NO),
    row(RecvOnly, Inactive, Inactive, AS_OFFER),
    row(Inactive, SendRecv, Inactive, NO),
    row(Inactive, SendOnly, Inactive, AS_OFFER),
    row(Inactive, RecvOnly, Inactive, NO),
    row(Inactive, Inactive, Inactive, AS_OFFER),
];

const EVERY: [Direction; 4] = [SendRecv, SendOnly, RecvOnly, Inactive];

/// Every way to say a direction: at the stream, at the session, at both with the stream's in force, not at all, and by the
/// zero address.
fn ways_to_say(direction: Direction) -> Vec<Said> {
    let mut ways = at_both_levels(direction);
    for louder in EVERY.into_iter().filter(|louder| Direction::new(louder.sends(), false) == direction) {
        ways.extend(at_both_levels(louder).into_iter().map(|said| Said { is_zero_address: true, ..said }));
    }
    ways
}

fn at_both_levels(direction: Direction) -> Vec<Said> {
    let mut ways = vec![Said { session: Some(direction), ..Said::default() }];
    let sessions = EVERY.into_iter().map(Some).chain([None]);
    ways.extend(sessions.map(|session| Said { session, stream: Some(direction), ..Said::default() }));
    if direction == SendRecv {
        ways.push(Said::default());
    }
    ways
}

/// Writes it as a phone would.
fn description(said: Said) -> String {
    let attribute = |direction: Option<Direction>| direction.map(|direction| format!("a={}", direction.name()));
    let port = if said.is_port_zero { 0 } else { 4000 };
    let lines = [
        attribute(said.session),
        Some(format!("m=audio {port} RTP/AVP 0")),
        said.is_zero_address.then(|| "c=IN IP4 0.0.0.0".to_owned()),
        attribute(said.stream),
    ];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    phone(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn check(row: &Row, said: Said, negotiated: Negotiated, hold: bool) {
    let told = (negotiated.remote_listens, negotiated.remote_sends, negotiated.remote_hold, negotiated.remote);
    let due = (row.agreed.sends(), row.agreed.receives(), hold, said.direction());
    assert_eq!(told, due, "{:?} facing {said:?}", row.wished);
}

#[test]
fn every_row_in_every_way_in_both_roles() {
    let mut cases = 0;
    for row in &TABLE {
        for said in ways_to_say(row.said) {
            cases += 1;
            for (role, hold) in [Role::Answerer, Role::Offerer].into_iter().zip(row.holds) {
                let agreement = agree(role, row.wished, said);
                let told = (agreement.direction, agreement.remote_hold);
                assert_eq!(told, (row.agreed, hold), "{role:?}: {:?} facing {said:?}", row.wished);
            }
            let (local, peer) = (Local { direction: row.wished, ..fermata() }, description(said));
            let (text, as_answerer) = answer(&local, peer.as_bytes()).unwrap();
            assert!(text.ends_with(&format!("a={}\r\n", row.agreed.name())), "{text}");
            assert!(!text.contains("0.0.0.0"), "the zero address is never written: {text}");
            check(row, said, as_answerer, row.holds[0]);
            check(row, said, accept_answer(&local, peer.as_bytes()).unwrap(), row.holds[1]);
        }
    }
    // For each wish: 6 ways for each direction and one for none, and 6 or 7 more for each of the 4 by the zero address.
    assert_eq!(cases, 4 * (4 * 6 + 1 + 4 * 6 + 1));
}

#[test]
fn a_stream_with_port_zero_is_a_hold_whatever_it_says() {
    for wished in EVERY {
        for stream in EVERY {
            let said = Said { stream: Some(stream), is_port_zero: true, ..Said::default() };
            for role in [Role::Answerer, Role::Offerer] {
                let agreement = agree(role, wished, said);
                assert_eq!((agreement.direction, agreement.remote_hold), (Inactive, true));
            }
        }
    }
}
