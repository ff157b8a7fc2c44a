//! One endpoint and a peer that is written out as text, for what a well-behaved peer would never send.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use edge::sip::{Config, DialogKey, Endpoint, Event, Flow, Headers, Message, Name, Request, Response, Transport};

use crate::sip_pair::start;

/// Where the scripted peer is.
pub(crate) const PEER: &str = "192.0.2.9:5070";

pub(crate) struct Solo {
    pub(crate) endpoint: Endpoint,
    pub(crate) now: Instant,
    pub(crate) flow: Flow,
}

impl Solo {
    pub(crate) fn new(configure: impl Fn(&mut Config)) -> Solo {
        let local: SocketAddr = "192.0.2.1:5060".parse().unwrap();
        let mut config = Config::new(local);
        configure(&mut config);
        let flow = Flow { transport: Transport::Udp, local, remote: PEER.parse().unwrap() };
        Solo { endpoint: Endpoint::new(config, [1; 32]), now: start(), flow }
    }

    /// Sends a request as the peer: the first line and the header fields that matter, the others are added.
    pub(crate) fn send(&mut self, first_line: &str, fields: &[(&str, &str)], body: &str) {
        let method = first_line.split(' ').next().unwrap();
        let cseq = format!("1 {method}");
        let usual = [
            ("Via", "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKpeer;rport"),
            ("Max-Forwards", "70"),
            ("From", "<sip:peer@192.0.2.9:5070>;tag=peer"),
            ("To", "<sip:alice@192.0.2.1>"),
            ("Call-ID", "call-of-peer"),
            ("CSeq", &cseq),
            ("Contact", "<sip:peer@192.0.2.9:5070>"),
        ];
        let mut text = format!("{first_line} SIP/2.0\r\n");
        for (name, value) in usual {
            let is_given = fields.iter().any(|(given, _)| *given == name);
            if !is_given {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        for (name, value) in fields.iter().filter(|(_, value)| *value != "none") {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        self.endpoint.receive(self.flow, text.as_bytes(), self.now);
    }

    /// Answers a request of the endpoint as the peer.
    pub(crate) fn answer(&mut self, request: &Request, status: &str, to_tag: &str, fields: &[(&str, &str)]) {
        self.answer_with(request, status, to_tag, fields, "");
    }

    /// Answers a request of the endpoint as the peer, with a body.
    pub(crate) fn answer_with(
        &mut self,
        request: &Request,
        status: &str,
        to_tag: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) {
        let mut text = format!("SIP/2.0 {status}\r\n");
        for name in [Name::Via, Name::From, Name::CallId, Name::CSeq] {
            text.push_str(&format!("{name}: {}\r\n", header(&request.headers, &name)));
        }
        let to = header(&request.headers, &Name::To);
        let tag = if to.contains(";tag=") { String::new() } else { format!(";tag={to_tag}") };
        text.push_str(&format!("To: {to}{tag}\r\n"));
        for (name, value) in fields {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        self.endpoint.receive(self.flow, text.as_bytes(), self.now);
    }

    pub(crate) fn requests(&mut self) -> Vec<Request> {
        self.messages()
            .into_iter()
            .filter_map(|message| match message {
                Message::Request(request) => Some(request),
                Message::Response(_) => None,
            })
            .collect()
    }

    pub(crate) fn request(&mut self) -> Request {
        self.requests().pop().expect("the endpoint sends a request")
    }

    pub(crate) fn response(&mut self) -> Response {
        self.messages()
            .into_iter()
            .rev()
            .find_map(|message| match message {
                Message::Response(response) => Some(response),
                Message::Request(_) => None,
            })
            .expect("the endpoint sends a response")
    }

    pub(crate) fn messages(&mut self) -> Vec<Message> {
        let transmits = std::iter::from_fn(|| self.endpoint.poll_transmit());
        transmits.map(|transmit| Message::parse(&transmit.bytes).expect("our own messages can be read")).collect()
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.endpoint.poll_event()).collect()
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.endpoint.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.endpoint.expire(self.now);
        }
        self.now = end;
    }

    pub(crate) fn incoming(&mut self) -> DialogKey {
        let events = self.events();
        let key = events.iter().find_map(|event| match event {
            Event::Incoming { dialog, .. } => Some(*dialog),
            _ => None,
        });
        key.unwrap_or_else(|| panic!("a call came in, not {events:?}"))
    }
}

pub(crate) fn header<'a>(headers: &'a Headers, name: &Name) -> &'a str {
    headers.first(name).unwrap_or("")
}
