//! Messages as bytes: RFC 3261 §7, §18.3, §19, §20, RFC 5626 §4.4.1.

use edge::sip::{
    CSeq, Config, Destination, Endpoint, Event, Flow, HEADERS_MAX, Headers, MESSAGE_BYTES_MAX, Message, Method, Name,
    NameAddr, ParseError, Request, Response, Status, Transport, Uri, Via,
};

use crate::sip_pair::{Random, start};

fn request(bytes: &[u8]) -> Request {
    match Message::parse(bytes).unwrap() {
        Message::Request(request) => request,
        Message::Response(response) => panic!("a request, not {response:?}"),
    }
}

#[test]
fn sloppy_phones_are_understood() {
    let text = "INVITE sip:bob@example.com SIP/2.0\nv: SIP/2.0/UDP a.example.com\nf:\t<sip:a@example.com>\n\
                SUBJECT : one\n  two\r\n\tthree\nm: \"A, \\\"B\\\"\" <sip:a@[2001:db8::1]:6000;x=1,2>;q=0.5, sip:b@c;d\n\
                content-length: 2\n\nhixx";
    let request = request(text.as_bytes());
    assert_eq!(request.headers.first(&Name::Subject), Some("one two three"));
    assert_eq!(request.headers.first(&Name::From), Some("<sip:a@example.com>"));
    assert_eq!(request.body, b"hi");
    let contacts: Vec<NameAddr> = request.headers.list(&Name::Contact).map(|text| text.parse().unwrap()).collect();
    assert_eq!(contacts[0].display.as_deref(), Some("A, \"B\""));
    assert_eq!(contacts[0].uri.to_string(), "sip:a@[2001:db8::1]:6000;x=1,2");
    assert_eq!(contacts[0].parameters.value("Q"), Some("0.5"));
    assert!(contacts[1].parameters.contains("d"), "parameters of a bare URI are the header field's");
}

#[test]
fn what_is_no_message_says_why() {
    let check = |text: &str, error: ParseError| assert_eq!(Message::parse(text.as_bytes()), Err(error), "{text}");
    check("", ParseError::Truncated);
    check("OPTIONS sip:a SIP/2.0\r\n", ParseError::Truncated);
    check("OPTIONS sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\nhi", ParseError::Truncated);
    check("OPTIONS sip:a SIP/3.0\r\n\r\n", ParseError::FirstLine);
    check("OPTIONS sip:a b SIP/2.0\r\n\r\n", ParseError::FirstLine);
    check("SIP/2.0 20 OK\r\n\r\n", ParseError::FirstLine);
    check("SIP/2.0 700 OK\r\n\r\n", ParseError::FirstLine);
    check("OPTIONS sip:a:x SIP/2.0\r\n\r\n", ParseError::Uri(edge::sip::UriError::Port));
    check("OPTIONS sip:a SIP/2.0\r\nno colon\r\n\r\n", ParseError::Header(1));
    check("OPTIONS sip:a SIP/2.0\r\nTo: a\u{0}b\r\n\r\n", ParseError::Header(1));
    check("OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n", ParseError::ContentLength);
    check("OPTIONS sip:a SIP/2.0\r\nl: 0\r\nContent-Length: 1\r\n\r\nx", ParseError::ContentLength);
    let many = format!("OPTIONS sip:a SIP/2.0\r\n{}\r\n", "X: y\r\n".repeat(HEADERS_MAX + 1));
    check(&many, ParseError::HeaderLimit);
    check(&"x".repeat(MESSAGE_BYTES_MAX + 1), ParseError::TooLong);
}

#[test]
fn uris_read_as_they_are_written() {
    for text in [
        "sip:alice@192.0.2.1",
        "sips:alice:pw@example.com:5061;transport=tcp;lr?Subject=a",
        "sip:[2001:db8::1]:5060",
        "sip:a%20b;x=y@example.com",
        "tel:+15551234;phone-context=example.com",
    ] {
        assert_eq!(text.parse::<Uri>().unwrap().to_string(), text);
    }
    assert_eq!("sip:a%20b@c".parse::<Uri>().unwrap().user().as_deref(), Some("a b"));
    assert_eq!(Uri::sip(Some("a b@c"), "d".parse().unwrap()).to_string(), "sip:a%20b%40c@d");
    for text in ["", "alice", "sip:", "sip:@host", "sip:a@[::1", "sip:a b@c", "sip:a@host:99999", "sip:a@ho\"st"] {
        assert!(text.parse::<Uri>().is_err(), "{text}");
    }
}

#[test]
fn what_is_written_can_be_read() {
    for seed in 0..2_000 {
        let message = random_message(&mut Random(seed));
        assert_eq!(Message::parse(&message.to_bytes()), Ok(message), "seed {seed}");
    }
}

#[test]
fn parts_of_header_fields_read_as_they_were_written() {
    for seed in 0..2_000 {
        let mut random = Random(seed);
        let address = random_name_addr(&mut random);
        assert_eq!(address.to_string().parse(), Ok(address), "seed {seed}");
        let via = random_via(&mut random);
        assert_eq!(via.to_string().parse(), Ok(via), "seed {seed}");
        let cseq = CSeq { number: random.below(1 << 31) as u32, method: Method::Info };
        assert_eq!(cseq.to_string().parse(), Ok(cseq), "seed {seed}");
    }
}

/// Mutated messages, fed to an endpoint in the middle of its work, over UDP and TCP.
#[test]
fn mutated_messages_do_no_harm() {
    let local = "192.0.2.1:5060".parse().unwrap();
    let remote = "192.0.2.9:5070".parse().unwrap();
    for seed in 0..3_000 {
        let mut random = Random(seed);
        let mut endpoint = Endpoint::new(Config::new(local), [3; 32]);
        let mut bytes = random_message(&mut random).to_bytes();
        for _ in 0..=random.below(8) {
            mutate(&mut bytes, &mut random);
        }
        let transport = if seed % 2 == 0 { Transport::Udp } else { Transport::Tcp };
        endpoint.receive(Flow { transport, local, remote }, &bytes, start());
        while let Some(transmit) = endpoint.poll_transmit() {
            assert!(transmit.bytes == b"\r\n" || Message::parse(&transmit.bytes).is_ok(), "seed {seed}");
        }
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len() as u64) as usize;
    match random.below(4) {
        0 => bytes[at] = random.below(256) as u8,
        1 => drop(bytes.drain(at..bytes.len().min(at + 1 + random.below(20) as usize))),
        2 => bytes.insert(at, b"\r\n\t \",;<>:=@[]%\0"[random.below(15) as usize]),
        _ => {
            let copy = bytes[at..bytes.len().min(at + random.below(40) as usize)].to_vec();
            bytes.splice(at..at, copy);
        }
    }
    if bytes.is_empty() {
        bytes.push(b'x');
    }
}

#[test]
fn a_stream_may_be_cut_anywhere() {
    let local = "192.0.2.1:5060".parse().unwrap();
    let flow = Flow { transport: Transport::Tcp, local, remote: "192.0.2.9:40000".parse().unwrap() };
    let one = |branch: &str, body: &str| {
        format!(
            "OPTIONS sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK{branch}\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:a@b>\r\nCall-ID: {branch}\r\nCSeq: 1 OPTIONS\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let stream = format!("\r\n{}\r\n\r\n{}{}", one("1", "body"), one("2", ""), one("3", "\r\n\r\n"));
    for seed in 0..300 {
        let mut random = Random(seed);
        let mut endpoint = Endpoint::new(Config::new(local), [3; 32]);
        let mut rest = stream.as_bytes();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(1 + random.below(rest.len().min(200) as u64) as usize);
            endpoint.receive(flow, chunk, start());
            rest = after;
        }
        let sent: Vec<_> = std::iter::from_fn(|| endpoint.poll_transmit()).collect();
        assert!(sent.iter().all(|transmit| transmit.destination == Destination::Flow(flow)));
        let answers: Vec<bool> = sent.iter().map(|transmit| transmit.bytes == b"\r\n").collect();
        assert_eq!(answers, [false, true, false, false], "seed {seed}: a pong for the ping, three 200");
    }
}

#[test]
fn a_stream_that_is_no_sip_is_closed() {
    let local = "192.0.2.1:5060".parse().unwrap();
    let flow = Flow { transport: Transport::Tcp, local, remote: "192.0.2.9:40000".parse().unwrap() };
    for garbage in [b"GET / HTTP/1.1\r\nno colon\r\n\r\n".to_vec(), vec![b'x'; MESSAGE_BYTES_MAX + 1]] {
        let mut endpoint = Endpoint::new(Config::new(local), [3; 32]);
        endpoint.receive(flow, &garbage, start());
        assert_eq!(endpoint.poll_event(), Some(Event::Disconnect { flow }));
    }
}

fn random_message(random: &mut Random) -> Message {
    let mut headers = Headers::default();
    headers.push(Name::Via, random_via(random));
    headers.push(Name::From, random_name_addr(random));
    headers.push(Name::To, random_name_addr(random));
    headers.push(Name::CallId, random_token(random));
    for _ in 0..random.below(6) {
        headers.push(Name::Contact, random_name_addr(random));
        headers.push(Name::Other(format!("x-{}", random_token(random))), random_token(random));
    }
    let body: Vec<u8> = (0..random.below(60)).map(|_| random.below(256) as u8).collect();
    if random.below(3) == 0 {
        let status = Status::new(100 + random.below(600) as u16).unwrap();
        headers.push(Name::CSeq, "1 INVITE");
        return Message::Response(Response { status, reason: status.reason().to_owned(), headers, body });
    }
    let methods = [Method::Invite, Method::Bye, Method::Cancel, Method::Register, Method::Options, Method::Ack];
    let method = methods[random.below(6) as usize].clone();
    headers.push(Name::CSeq, CSeq { number: 1, method: method.clone() });
    headers.push(Name::ContentType, "application/sdp");
    Message::Request(Request { method, uri: random_uri(random), headers, body })
}

fn random_via(random: &mut Random) -> Via {
    let host = ["192.0.2.1", "[2001:db8::7]:5080", "example.com:1", "localhost"][random.below(4) as usize];
    let transport = ["UDP", "TCP", "TLS"][random.below(3) as usize];
    format!("SIP/2.0/{transport} {host};branch=z9hG4bK{};rport", random_token(random)).parse().unwrap()
}

fn random_name_addr(random: &mut Random) -> NameAddr {
    let mut address = NameAddr::new(random_uri(random));
    if random.below(2) == 0 {
        address = address.named(["Alice", "A \"quoted\" \\ name", "コール, <x>;", "a;b"][random.below(4) as usize]);
    }
    if random.below(2) == 0 {
        address.parameters.set("tag", Some(&random_token(random)));
        address.parameters.set("text", Some("\"a;b,c\""));
        address.parameters.set("flag", None);
    }
    address
}

fn random_uri(random: &mut Random) -> Uri {
    let host = ["192.0.2.1", "[2001:db8::7]:5080", "example.com", "h:5060;transport=tcp;lr"][random.below(4) as usize];
    match random.below(4) {
        0 => format!("sip:{host}").parse().unwrap(),
        1 => "tel:+15551234".parse().unwrap(),
        _ => format!("sip:{}@{host}", random_token(random)).parse().unwrap(),
    }
}

fn random_token(random: &mut Random) -> String {
    let alphabet = b"abcdefghijklmnopqrstuvwxyz0123456789-_.!*+";
    (0..=random.below(12)).map(|_| char::from(alphabet[random.below(alphabet.len() as u64) as usize])).collect()
}
