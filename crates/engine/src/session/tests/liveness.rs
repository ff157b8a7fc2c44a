//! Legs without sound: who is asked whether it is there, and what keeps the way to it open.

use super::*;

/// How long nothing may come in these tests.
const PATIENCE: Duration = Duration::from_secs(5);

/// A stage whose phones are asked after, and which notes who was.
fn asking() -> Stage {
    let mut stage = Stage::with(Codec::Pcmu, Codec::Pcmu, Codec::Pcmu);
    stage.session.probe_after = Some(PATIENCE);
    stage
}

/// Lets time pass in which a phone sends no sound, and perhaps reports. Returns how often it was asked after, and every
/// packet that came to it.
fn run_silent(stage: &mut Stage, n: usize, seconds: u64, reports: bool) -> (usize, Vec<Vec<u8>>) {
    let (mut asked, mut packets) = (0, Vec::new());
    let Phone { participant, address, .. } = stage.phones[n];
    for tick in 0..seconds * 50 {
        stage.now += Duration::from_millis(20);
        if reports && tick % 100 == 0 {
            let mut report = Vec::new();
            media::rtcp::write_report(1, None, None, "phone", &mut report);
            stage.session.receive_rtcp(participant, address, &report, stage.now);
        }
        stage.session.tick(stage.now, NtpTime::default(), &mut |datagram| {
            if datagram.participant == participant {
                packets.push(datagram.bytes.to_vec());
            }
        });
        stage.session.flushed(stage.now);
        while let Some(output) = stage.session.poll_output() {
            let is_question = matches!(output, Output::Probe { participant: asked } if asked == participant);
            asked += usize::from(is_question);
        }
    }
    (asked, packets)
}

#[test]
fn a_silent_phone_is_asked_after_again_and_again_and_is_not_thrown_out() {
    let mut stage = asking();
    let (asked, _) = run_silent(&mut stage, 1, 21, false);
    assert_eq!(asked, 4);
    assert!(stage.session.legs.contains_key(&id(1)));
}

#[test]
fn a_phone_that_reports_is_not_asked_after_though_it_says_nothing() {
    let (asked, _) = run_silent(&mut asking(), 1, 21, true);
    assert_eq!(asked, 0);
}

#[test]
fn a_phone_that_speaks_is_not_asked_after_even_while_it_holds() {
    let mut stage = asking();
    stage.reinvite(1, sdp::Direction::SendOnly, Codec::Pcmu);
    for _ in 0..1000 {
        stage.run_ms(20);
    }
    let (asked, _) = run_silent(&mut stage, 1, 4, false);
    assert_eq!(asked, 0, "its music is a sign of life");
}

/// The phone describes itself without `a=rtcp-mux`, so that its reports have a port of their own.
fn without_mux(stage: &mut Stage, n: usize, direction: &str, address: &str) {
    let port = stage.phones[n].address.port();
    let offer = format!("v=0\r\nc=IN IP4 {address}\r\nm=audio {port} RTP/AVP 0\r\na={direction}\r\n");
    stage.session.offered(id(n), offer.as_bytes(), stage.now);
    stage.drain().expect("it is answered");
}

fn is_rtcp(packet: &[u8]) -> bool {
    matches!(media::rtp::Packet::parse(packet), Err(RtpError::Rtcp { .. }))
}

#[test]
fn the_way_to_a_phone_that_does_not_listen_is_kept_open_by_packets_that_it_passes_over() {
    let mut stage = asking();
    stage.run_ms(100);
    without_mux(&mut stage, 1, "sendonly", "127.0.0.1");
    let (_, packets) = run_silent(&mut stage, 1, 61, false);
    let (reports, sound): (Vec<_>, Vec<_>) = packets.iter().partition(|packet| is_rtcp(packet));
    assert!(reports.len() >= 6, "reports go on: {}", reports.len());
    assert_eq!(sound.len(), 4, "one in 15 s");
    for packet in sound {
        let packet = media::rtp::Packet::parse(packet).expect("it is RTP");
        assert!(packet.payload.is_empty() && packet.payload_type >= 96 && packet.payload_type != 101);
    }
}

#[test]
fn reports_on_the_same_port_do_as_well() {
    let mut stage = asking();
    stage.run_ms(100);
    stage.reinvite(1, sdp::Direction::Inactive, Codec::Pcmu);
    let (_, packets) = run_silent(&mut stage, 1, 61, false);
    assert!(packets.len() >= 6 && packets.iter().all(|packet| is_rtcp(packet)));
}

#[test]
fn the_zero_address_is_sent_nothing() {
    let mut stage = asking();
    stage.run_ms(100);
    without_mux(&mut stage, 1, "sendrecv", "0.0.0.0");
    let (_, packets) = run_silent(&mut stage, 1, 61, false);
    assert_eq!(packets, [] as [Vec<u8>; 0]);
}

#[test]
fn a_refresh_that_says_nothing_new_is_not_heard() {
    let mut stage = Stage::with(Codec::G722, Codec::Opus, Codec::Pcmu);
    stage.run_ms(400);
    stage.forget_what_was_heard();
    for _ in 0..10 {
        stage.reinvite(1, sdp::Direction::SendRecv, Codec::Opus);
        stage.run_ms(100);
    }
    // In every 100 ms, those of the refreshes among them.
    stage.expect("while it refreshes", [&[1, 2], &[0, 2], &[0, 1]]);
}
