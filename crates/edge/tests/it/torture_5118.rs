//! The messages with IPv6 addresses of RFC 5118, by the names it gives them; written anew after its descriptions.

use edge::sdp;
use edge::sip::{Message, Name, Request, Uri, Via};

use crate::sip_solo::{Solo, header};

const HEAD: &str = "Max-Forwards: 70\r\nFrom: <sip:peer@example.com>;tag=81x2\r\nTo: <sip:user@example.com>\r\n\
    Call-ID: SSG9559905523997077@hlau_4100\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

fn options(uri: &str, via: &str) -> String {
    format!("OPTIONS {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKas3\r\n{HEAD}")
}

#[track_caller]
fn parsed(datagram: &str) -> Request {
    match Message::parse(datagram.as_bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("a request, not {other:?}"),
    }
}

#[track_caller]
fn check_status(datagram: &str, status: u16) {
    let mut solo = Solo::new(|_| {});
    solo.endpoint.receive(solo.flow, datagram.as_bytes(), solo.now);
    assert_eq!(solo.response().status.code(), status, "{datagram}");
}

fn address(uri: &Uri) -> String {
    match uri {
        Uri::Sip(uri) => uri.host_port.to_string(),
        Uri::Other(other) => panic!("a SIP URI, not {other}"),
    }
}

#[test]
fn ipv6_good() {
    let text = options("sip:[2001:db8::10]", "[2001:db8::9:1]");
    assert_eq!(address(&parsed(&text).uri), "[2001:db8::10]");
    check_status(&text, 200);
}

#[test]
fn ipv6_bad_no_brackets() {
    check_status(&options("sip:2001:db8::10", "[2001:db8::9:1]"), 400);
}

#[test]
fn port_ambiguous_the_port_is_part_of_the_address() {
    let uri = parsed(&options("sip:[2001:db8::10:5070]", "[2001:db8::9:1]")).uri;
    assert_eq!(address(&uri), "[2001:db8::10:5070]");
    assert_eq!(uri.destination().unwrap().remote().port(), 5060);
}

#[test]
fn port_unambiguous() {
    let uri = parsed(&options("sip:[2001:db8::10]:5070", "[2001:db8::9:1]")).uri;
    assert_eq!(uri.destination().unwrap().remote().port(), 5070);
}

#[test]
fn via_received_param_with_and_without_brackets() {
    for received in ["[2001:db8::9:255]", "2001:db8::9:255"] {
        let text = options("sip:[2001:db8::10]", &format!("[2001:db8::9:1];received={received}"));
        let via: Via = header(&parsed(&text).headers, &Name::Via).parse().unwrap();
        assert_eq!(via.parameters.value("received"), Some(received));
        check_status(&text, 200);
    }
}

#[test]
fn ipv6_in_sdp() {
    let offer = "v=0\r\no=assistant 971731711378798081 0 IN IP6 2001:db8::20\r\ns=Live\r\nc=IN IP6 2001:db8::20\r\n\
        t=3338481189 3370017201\r\nm=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
    let negotiated = sdp_answer("2001:db8::1", offer);
    assert_eq!(negotiated.remote_rtp, "[2001:db8::20]:6000".parse().unwrap());
}

#[test]
fn mult_ip_in_header_v4_and_v6_side_by_side() {
    let text = "OPTIONS sip:user@[2001:db8::10] SIP/2.0\r\nVia: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKa\r\n\
        Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKb\r\n"
        .to_owned()
        + HEAD;
    let vias: Vec<Via> = parsed(&text).headers.list(&Name::Via).map(|via| via.parse().unwrap()).collect();
    assert_eq!(vias[0].sent_by.to_string(), "[2001:db8::9:1]:6050");
    assert_eq!(vias[1].sent_by.to_string(), "192.0.2.1");
    check_status(&text, 200);
}

#[test]
fn mult_ip_in_sdp_each_stream_has_its_own() {
    let offer = "v=0\r\no=bob 280744730 28977631 IN IP4 192.0.2.9\r\ns=\r\nt=0 0\r\nm=audio 22334 RTP/AVP 0\r\n\
        c=IN IP4 192.0.2.9\r\nm=video 6024 RTP/AVP 107\r\nc=IN IP6 2001:db8::1\r\na=rtpmap:107 H263-1998/90000\r\n";
    assert_eq!(sdp_answer("192.0.2.1", offer).remote_rtp, "192.0.2.9:22334".parse().unwrap());
}

#[test]
fn ipv4_mapped_ipv6() {
    let text = options("sip:user@[::ffff:192.0.2.10]", "[::ffff:192.0.2.2]");
    assert_eq!(parsed(&text).uri.destination().unwrap().remote(), "[::ffff:192.0.2.10]:5060".parse().unwrap());
    check_status(&text, 200);
    let offer = "v=0\r\no=- 0 0 IN IP6 ::ffff:192.0.2.2\r\ns=-\r\nc=IN IP6 ::ffff:192.0.2.2\r\nt=0 0\r\nm=audio 3456 RTP/AVP 0\r\n";
    assert_eq!(sdp_answer("2001:db8::1", offer).remote_rtp, "[::ffff:192.0.2.2]:3456".parse().unwrap());
    // An IPv4 socket reaches it.
    assert_eq!(sdp_answer("192.0.2.1", offer).remote_rtp, "192.0.2.2:3456".parse().unwrap());
}

#[test]
fn ipv6_bug_abnf_3_colons() {
    // The old grammar allowed three colons; no address has them.
    check_status(&options("sip:user@[2001:db8:::192.0.2.1]", "[2001:db8::9:1]"), 400);
}

/// Answers from an address of ours.
fn sdp_answer(local: &str, offer: &str) -> sdp::Negotiated {
    let local = sdp::Local {
        address: local.parse().unwrap(),
        rtp_port: 20_000,
        session_id: 1,
        version: 1,
        codecs: vec![media::Codec::Pcmu],
        direction: sdp::Direction::SendRecv,
    };
    sdp::answer(&local, offer.as_bytes()).unwrap().1
}
