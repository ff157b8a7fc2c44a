//! The messages that RFC 4475 torments parsers with, by the names it gives them; written anew after its descriptions.
//!
//! The endpoint under test is a user agent at 192.0.2.1 and a registrar for alice. What the RFC leaves to the
//! receiver (to refuse or to understand) is written here as we chose it.

use edge::sip::{Config, Credentials, DialogKey, Event, Invite, Message, Name, NameAddr, Response, Status, Uri};

use crate::sip_solo::{Solo, header};

const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 49217 RTP/AVP 0\r\n";

fn solo() -> Solo {
    let alice = Credentials { user: "alice".to_owned(), password: "secret".to_owned() };
    Solo::new(|config: &mut Config| config.users = vec![alice.clone()])
}

/// Writes a request of a peer: the first line, then these lines, then whatever else a request must have.
fn request(first_line: &str, lines: &[&str], body: &str) -> String {
    let method = first_line.split(' ').find(|word| !word.is_empty()).unwrap();
    let usual = [
        ("via", "Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKpeer".to_owned()),
        ("max-forwards", "Max-Forwards: 70".to_owned()),
        ("from", "From: <sip:peer@192.0.2.9>;tag=peer".to_owned()),
        ("to", "To: <sip:alice@192.0.2.1>".to_owned()),
        ("call-id", "Call-ID: call-of-peer".to_owned()),
        ("cseq", format!("CSeq: 1 {method}")),
        ("contact", "Contact: <sip:peer@192.0.2.9:5070>".to_owned()),
        ("content-length", format!("Content-Length: {}", body.len())),
    ];
    let is_given = |name: &str| lines.iter().any(|line| line.to_ascii_lowercase().starts_with(name));
    let mut text = format!("{first_line}\r\n");
    for line in lines {
        text.push_str(&format!("{line}\r\n"));
    }
    for (_, line) in usual.iter().filter(|(name, _)| !is_given(name)) {
        text.push_str(&format!("{line}\r\n"));
    }
    format!("{text}\r\n{body}")
}

fn invite(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().copied().chain(["Content-Type: application/sdp"]).collect();
    request("INVITE sip:alice@192.0.2.1 SIP/2.0", &lines, SDP)
}

fn options(lines: &[&str]) -> String {
    request("OPTIONS sip:alice@192.0.2.1 SIP/2.0", lines, "")
}

fn register(lines: &[&str]) -> String {
    request("REGISTER sip:192.0.2.1 SIP/2.0", lines, "")
}

/// Feeds one datagram and returns the responses.
fn responses(solo: &mut Solo, datagram: &str) -> Vec<Response> {
    solo.endpoint.receive(solo.flow, datagram.as_bytes(), solo.now);
    let is_response = |message| match message {
        Message::Response(response) => Some(response),
        Message::Request(_) => None,
    };
    solo.messages().into_iter().filter_map(is_response).collect()
}

/// Feeds one datagram to a fresh endpoint, which must answer once.
#[track_caller]
fn answer(datagram: &str) -> Response {
    let mut responses = responses(&mut solo(), datagram);
    assert_eq!(responses.len(), 1, "one answer to {datagram}");
    responses.remove(0)
}

#[track_caller]
fn check(datagram: &str, status: u16) {
    assert_eq!(answer(datagram).status.code(), status, "{datagram}");
}

/// Feeds an INVITE that must become a call, and returns who calls and who is called.
#[track_caller]
fn call(datagram: &str) -> (NameAddr, Uri) {
    let mut solo = solo();
    let answers = responses(&mut solo, datagram);
    match solo.events().pop() {
        Some(Event::Incoming { from, to, .. }) => (from, to),
        other => panic!("a call, not {other:?}, {answers:?}"),
    }
}

#[track_caller]
fn parsed(datagram: &str) -> edge::sip::Request {
    match Message::parse(datagram.as_bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("a request, not {other:?}"),
    }
}

// 3.1.1 Valid messages

#[test]
fn wsinv_a_short_tortuous_invite() {
    let text = "INVITE sip:vivek@192.0.2.1;unknownparam SIP/2.0\r\nTO :\r\n sip:vivek@192.0.2.1 ;   tag    = 19181833n\r\n\
        from   : \"J Ros \\\\\\\"\"       <sip:jd@example.com>\r\n  ;\r\n  tag = 98as\r\nMaX-fOrWaRds: 0068\r\n\
        Call-ID: wsinv.nd@192.0.2.2\r\nContent-Length   : 6\r\ncseq: 0009\r\n  INVITE\r\n\
        Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.9;branch=390sk\r\ns :\r\n\
        NewFangledHeader:   newfangled value\r\n continued newfangled value\r\nUnknownHeaderWithUnusualValue: ;;,,;;,;\r\n\
        Content-Type: application/sdp\r\nRoute:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n\
        v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ik  ,\r\n \
        SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK3023\r\n\
        m:\"Quoted \\\"\\\"\" <sip:jd@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\nv=0\r\n\n";
    let request = parsed(text);
    let from: NameAddr = header(&request.headers, &Name::From).parse().unwrap();
    assert_eq!((from.display.as_deref(), from.tag()), (Some("J Ros \\\""), Some("98as")));
    let to: NameAddr = header(&request.headers, &Name::To).parse().unwrap();
    assert_eq!(to.tag(), Some("19181833n"));
    assert_eq!(request.headers.list(&Name::Via).count(), 3);
    let contact: NameAddr = header(&request.headers, &Name::Contact).parse().unwrap();
    assert_eq!((contact.parameters.value("newparam"), contact.parameters.value("q")), (Some("newvalue"), Some("0.33")));
    // Its To has a tag: it is of a dialog that we do not know.
    let answer = answer(text);
    assert_eq!(answer.status, Status::CALL_DOES_NOT_EXIST);
    assert_eq!(answer.headers.all(&Name::Via).count(), 3, "all Vias go back");
}

#[test]
fn intmeth_unusual_characters_in_their_places() {
    let first = "!interesting-Method0123456789_*+`.%indeed'~ \
        sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@192.0.2.1 SIP/2.0";
    let answer = answer(&request(
        first,
        &[
            "Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK-.!%66*_+`'~",
            "To: \"BEL:\\\u{7} NUL:\\\u{0} DEL:\\\u{7f}\" <sip:1_unusual.URI~(to-be!sure)@192.0.2.1>",
        ],
        "",
    ));
    // Control characters in quotes are valid, and refused all the same: they would go into logs and displays.
    assert_eq!(answer.status, Status::BAD_REQUEST);
    let without = request(first, &["Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK-.!%66*_+`'~"], "");
    check(&without, 501);
    let user = parsed(&without).uri.user().unwrap();
    assert!(user.starts_with("1_unusual.URI~") && user.ends_with("(doesn't-it)"), "{user}");
}

#[test]
fn esc01_percent_escapes() {
    let text = invite(&["To: sip:%75se%72@192.0.2.1", "From: <sip:I%20have%20spaces@example.net>;tag=938"]);
    let text = text.replace("sip:alice@192.0.2.1", "sip:sips%3Auser%40example.com@192.0.2.1");
    let (from, to) = call(&text);
    assert_eq!(from.uri.user().as_deref(), Some("I have spaces"));
    assert_eq!(to.user().as_deref(), Some("sips:user@example.com"));
    assert_eq!(to.to_string(), "sip:sips%3Auser%40example.com@192.0.2.1", "carried as it was written");
}

#[test]
fn escnull_escaped_nulls_are_characters_like_others() {
    let text = register(&["To: <sip:null-%00-null@192.0.2.1>", "Contact: <sip:%00@192.0.2.9>, <sip:%00%00@192.0.2.9>"]);
    let request = parsed(&text);
    let contacts: Vec<NameAddr> = request.headers.list(&Name::Contact).map(|text| text.parse().unwrap()).collect();
    assert_eq!(contacts[0].uri.user().as_deref(), Some("\0"));
    assert_ne!(contacts[0].uri, contacts[1].uri);
    check(&text, 401);
}

#[test]
fn esc02_a_percent_sign_in_a_method_is_no_escape() {
    let text = request("RE%47IST%45R sip:192.0.2.1 SIP/2.0", &[], "");
    check(&text, 501);
}

#[test]
fn lwsdisp_no_space_after_a_display_name() {
    let text = options(&["From: caller<sip:caller@example.com>;tag=323"]);
    let from: NameAddr = header(&parsed(&text).headers, &Name::From).parse().unwrap();
    assert_eq!(from.display.as_deref(), Some("caller"));
    check(&text, 200);
}

#[test]
fn longreq_long_values_everywhere() {
    let long = "long".repeat(60);
    let (name, via) = (format!("From: \"{long}\" <sip:{long}@example.net>;tag=1;{long}={long}"), via_chain(&long));
    let (from, _) = call(&invite(&[&name, &via, &format!("{long}: {long}"), &format!("Call-ID: {long}@{long}")]));
    assert_eq!(from.display, Some(long));
}

fn via_chain(long: &str) -> String {
    let others: Vec<String> =
        (0..25).map(|hop| format!("SIP/2.0/UDP sip{hop}.example.com;{long};branch=z9hG4bK{hop}")).collect();
    format!("Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKpeer, {}", others.join(", "))
}

#[test]
fn dblreq_what_follows_in_the_datagram_is_no_message() {
    let mut solo = solo();
    let answers = responses(&mut solo, &format!("{}{}", register(&[]), invite(&[])));
    assert_eq!(answers.iter().map(|answer| answer.status.code()).collect::<Vec<_>>(), [401]);
    assert_eq!(solo.events(), []);
}

#[test]
fn semiuri_semicolons_in_a_user_part() {
    let text = request("OPTIONS sip:user;par=u%40example.net@192.0.2.1 SIP/2.0", &[], "");
    assert_eq!(parsed(&text).uri.user().as_deref(), Some("user;par=u@example.net"));
    check(&text, 200);
}

#[test]
fn transports_of_all_kinds_in_via() {
    let lines = [
        "Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa",
        "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKb",
        "Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bKc",
        "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKd",
    ];
    let answer = answer(&options(&lines));
    assert_eq!(answer.status, Status::OK);
    let vias: Vec<String> = answer.headers.all(&Name::Via).map(|via| format!("Via: {via}")).collect();
    assert_eq!(vias[1..], lines[1..]);
}

#[test]
fn mpart01_a_body_of_binary_parts() {
    let body = "--7a9c\r\nContent-Type: text/plain\r\n\r\nhi\r\n--7a9c\r\nContent-Type: application/x\r\n\r\n\u{0}\u{1}\r\n--7a9c--\r\n";
    let lines = ["Content-Type: multipart/mixed;boundary=7a9c"];
    check(&request("MESSAGE sip:alice@192.0.2.1 SIP/2.0", &lines, body), 405);
}

/// Feeds a response to a call of ours; `first_line` stands for its status line.
fn response_to_a_call(first_line: &str, received: &str) -> Vec<Event> {
    let mut solo = solo();
    let target: Uri = "sip:peer@192.0.2.9:5070".parse().unwrap();
    let invite = Invite {
        target,
        destination: None,
        from: NameAddr::new("sip:us@192.0.2.1".parse().unwrap()),
        to: None,
        asserted: None,
        offer: SDP.as_bytes().to_vec(),
        credentials: None,
        ring_timeout: std::time::Duration::from_secs(60),
        silence_max: None,
        replaces: None,
    };
    solo.endpoint.invite(DialogKey(1), invite, solo.now);
    let request = solo.request();
    let field = |name: &Name| header(&request.headers, name).to_owned();
    let text = format!(
        "{first_line}\r\nVia: {}{received}\r\nFrom: {}\r\nTo: {};tag=t\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Contact: <sip:peer@192.0.2.9:5070>\r\nContent-Length: 0\r\n\r\n",
        field(&Name::Via),
        field(&Name::From),
        field(&Name::To),
        field(&Name::CallId),
        field(&Name::CSeq)
    );
    solo.endpoint.receive(solo.flow, text.as_bytes(), solo.now);
    solo.events()
}

#[test]
fn unreason_a_reason_phrase_in_any_script() {
    let events = response_to_a_call("SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое", "");
    assert!(matches!(events[..], [Event::Answered { .. }]), "{events:?}");
}

#[test]
fn noreason_no_reason_phrase() {
    let events = response_to_a_call("SIP/2.0 180 ", "");
    assert!(matches!(events[..], [Event::Ringing { .. }]), "{events:?}");
}

// 3.1.2 Invalid messages

#[test]
fn badinv01_separators_without_values() {
    // In a Contact they do no harm and are passed over; a Via is how we answer, so it must be right.
    call(&invite(&["Contact: \"Joe\" <sip:joe@192.0.2.9>;;;;"]));
    check(&invite(&["Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa;;,;,,"]), 400);
}

#[test]
fn clerr_fewer_bytes_than_the_content_length() {
    check(&invite(&["Content-Length: 9999"]), 400);
}

#[test]
fn ncl_a_negative_content_length() {
    check(&invite(&["Content-Length: -999"]), 400);
}

#[test]
fn scalar02_numbers_that_are_too_large() {
    check(&register(&["CSeq: 36893488147419103232 REGISTER"]), 400);
    check(&register(&["CSeq: 4294967296 REGISTER"]), 400);
    // Of no consequence for us: a longest time is cut anyway, hops are not counted by who is asked.
    check(&options(&["Max-Forwards: 300", "Expires: 100000000000000000000"]), 200);
}

#[test]
fn scalarlg_numbers_that_are_too_large_in_a_response() {
    let events = response_to_a_call("SIP/2.0 503 Service Unavailable\r\nRetry-After: 949302838503028349304023988", "");
    assert!(matches!(events[..], [Event::Failed { .. }]), "{events:?}");
}

#[test]
fn quotbal_a_quote_that_does_not_end() {
    check(&invite(&["To: \"Mr. J. User <sip:j.user@192.0.2.1>"]), 400);
}

#[test]
fn ltgtruri_brackets_around_the_request_uri() {
    // What is meant is clear, and phones that do this exist.
    check(&request("OPTIONS <sip:alice@192.0.2.1> SIP/2.0", &[], ""), 200);
}

#[test]
fn lwsruri_a_space_in_the_request_uri() {
    check(&request("INVITE sip:alice@192.0.2.1; lr SIP/2.0", &["Content-Type: application/sdp"], SDP), 400);
}

#[test]
fn lwsstart_and_trws_spaces_too_many_in_the_request_line() {
    check(&request("OPTIONS  sip:alice@192.0.2.1  SIP/2.0", &[], ""), 200);
    check(&request("OPTIONS sip:alice@192.0.2.1 SIP/2.0   ", &[], ""), 200);
}

#[test]
fn escruri_header_fields_in_the_request_uri_are_not_acted_on() {
    let text = invite(&[]).replacen("sip:alice@192.0.2.1", "sip:alice@192.0.2.1?Route=%3Csip:evil.example%3E", 1);
    let (_, to) = call(&text);
    assert_eq!(to.user().as_deref(), Some("alice"));
}

#[test]
fn baddate_a_date_in_another_time_zone() {
    call(&invite(&["Date: Fri, 01 Jan 2010 16:00:00 EST"]));
}

#[test]
fn regbadct_a_contact_that_needs_brackets() {
    let text = register(&["Contact: sip:alice@192.0.2.9?Route=%3Csip:sip.example.com%3E"]);
    // Who asks is found out first.
    check(&text, 401);
}

#[test]
fn badaspec_spaces_within_the_brackets() {
    check(&options(&["To: \"Watson, Thomas\" < sip:t.watson@192.0.2.1 >"]), 200);
}

#[test]
fn baddn_a_comma_in_a_display_name_without_quotes() {
    check(&options(&["From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43"]), 200);
}

#[test]
fn badvers_a_version_that_nobody_knows() {
    check(
        &request("OPTIONS sip:alice@192.0.2.1 SIP/7.0", &["Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa"], ""),
        505,
    );
}

#[test]
fn mismatch01_and_mismatch02_another_method_in_cseq() {
    check(&options(&["CSeq: 8 INVITE"]), 400);
    check(&request("NEWMETHOD sip:alice@192.0.2.1 SIP/2.0", &["CSeq: 8 INVITE"], ""), 400);
}

#[test]
fn bigcode_a_status_that_is_none() {
    assert_eq!(response_to_a_call("SIP/2.0 4294967301 better not break the receiver", ""), []);
}

// 3.2 Transactions

#[test]
fn badbranch_nothing_behind_the_magic_cookie() {
    let mut solo = solo();
    for (call_id, expected) in [("Call-ID: one", 1), ("Call-ID: two", 1), ("Call-ID: two", 1)] {
        let text = options(&["Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK", call_id]);
        let answers = responses(&mut solo, &text);
        assert_eq!(answers.len(), expected);
        let answered = format!("Call-ID: {}", header(&answers[0].headers, &Name::CallId));
        assert_eq!((answers[0].status, answered.as_str()), (Status::OK, call_id), "two requests are not one");
    }
}

// 3.3 The user agent

#[test]
fn insuf_header_fields_are_missing() {
    let text = "INVITE sip:alice@192.0.2.1 SIP/2.0\r\nCSeq: 193942 INVITE\r\n\
        Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj\r\nContent-Type: application/sdp\r\n\r\n";
    check(text, 400);
}

#[test]
fn unkscm_and_novelsc_schemes_that_are_not_sip() {
    check(&request("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0", &[], ""), 416);
    check(&request("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0", &[], ""), 416);
}

#[test]
fn unksm2_schemes_that_are_not_sip_in_header_fields() {
    let lines = ["To: isbn:2983792873", "From: <http://www.example.com>;tag=3234", "Contact: <name:John_Smith>"];
    check(&register(&lines), 401);
}

#[test]
fn bext01_extensions_that_nobody_knows() {
    let require = "nothingSupportsThis, nothingSupportsThisEither";
    let lines = [&format!("Require: {require}")[..], "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis"];
    let answer = answer(&options(&lines));
    assert_eq!(answer.status, Status::BAD_EXTENSION);
    assert_eq!(header(&answer.headers, &Name::Unsupported), require, "Proxy-Require is not for us");
}

#[test]
fn invut_a_body_that_nobody_knows() {
    let text = request("INVITE sip:alice@192.0.2.1 SIP/2.0", &["Content-Type: application/unknownformat"], "<audio/>");
    let answer = answer(&text);
    assert_eq!(answer.status, Status::UNSUPPORTED_MEDIA_TYPE);
    assert!(header(&answer.headers, &Name::Accept).contains("application/sdp"));
}

#[test]
fn regaut01_a_scheme_of_authorization_that_nobody_knows() {
    check(&register(&["Authorization: NoOneKnowsThisScheme opaque-data=here"]), 401);
}

#[test]
fn multi01_two_values_where_there_is_one() {
    for twice in
        ["CSeq: 5 INVITE", "Call-ID: other", "From: <sip:other@example.com>;tag=x", "To: <sip:other@192.0.2.1>"]
    {
        let mut text = invite(&[]);
        text.insert_str(text.find("\r\n").unwrap() + 2, &format!("{twice}\r\n"));
        check(&text, 400);
    }
}

#[test]
fn mcl01_two_lengths() {
    check(&options(&["Content-Length: 0", "l: 5"]), 400);
}

#[test]
fn bcast_a_response_that_asks_to_be_passed_on_to_everybody() {
    // The Via says where it went; a user agent never sends a response on.
    let events = response_to_a_call("SIP/2.0 200 OK", ";received=255.255.255.255");
    assert!(matches!(events[..], [Event::Answered { .. }]), "{events:?}");
}

#[test]
fn zeromf_no_hops_left_at_the_last_hop() {
    check(&options(&["Max-Forwards: 0"]), 200);
}

#[test]
fn cparam01_cparam02_regescrt_parameters_of_a_contact() {
    for (contact, uri) in [
        ("sip:alice@192.0.2.9;unknownparam", "sip:alice@192.0.2.9"),
        ("<sip:alice@192.0.2.9;unknownparam>", "sip:alice@192.0.2.9;unknownparam"),
        (
            "<sip:alice@192.0.2.9?Route=%3Csip:sip.example.com%3E>",
            "sip:alice@192.0.2.9?Route=%3Csip:sip.example.com%3E",
        ),
    ] {
        let request = parsed(&register(&[&format!("Contact: {contact}")]));
        let contact: NameAddr = header(&request.headers, &Name::Contact).parse().unwrap();
        assert_eq!(contact.uri.to_string(), uri);
    }
}

#[test]
fn sdp01_an_answer_of_a_kind_that_we_cannot_give() {
    check(&invite(&["Accept: text/nobodyKnowsThis"]), 406);
    call(&invite(&["Accept: text/nobodyKnowsThis, application/sdp;q=0.1"]));
    call(&invite(&["Accept: */*"]));
}

// 3.4 The old SIP

#[test]
fn inv2543_an_invite_of_the_old_rfc() {
    let text = format!(
        "INVITE sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP iftgw.example.com\r\n\
         From: <sip:+13035551111@ift.client.example.net;user=phone>\r\nTo: sip:+16505552222@192.0.2.1;user=phone\r\n\
         Record-Route: <sip:alice@192.0.2.8;maddr=192.0.2.8>\r\nCall-ID: 1717@ift.client.example.net\r\n\
         CSeq: 56 INVITE\r\nContact: <sip:+13035551111@192.0.2.9;user=phone>\r\nContent-Type: application/sdp\r\n\r\n{SDP}"
    );
    let (from, _) = call(&text);
    assert_eq!(from.tag(), None);
}
