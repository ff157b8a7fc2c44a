//! A name server for domains that nobody has.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// The largest question there is over UDP.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// A name server on loopback. It answers until the tests are over.
#[derive(Debug)]
pub(crate) struct NameServer {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
}

#[derive(Debug, Default)]
struct Zone {
    records: Vec<Record>,
    /// What was asked, in order.
    asked: Vec<(String, RecordType)>,
}

impl NameServer {
    /// Starts one that knows nothing yet.
    pub(crate) fn start() -> NameServer {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let address = socket.local_addr().expect("a socket has an address");
        let zone = Arc::<Mutex<Zone>>::default();
        let served = Arc::clone(&zone);
        thread::spawn(move || serve(&socket, &served));
        NameServer { address, zone }
    }

    /// Returns the settings that make a server ask here, to which others of `[sip]` can be added.
    pub(crate) fn settings(&self) -> String {
        format!("[sip]\nname_servers = [\"{}\"]\n", self.address)
    }

    /// Tells the address of a host, instead of those that it told before.
    pub(crate) fn set_host(&self, name: &str, address: [u8; 4], ttl_s: u32) {
        let name = absolute(name);
        let mut zone = lock(&self.zone);
        zone.records.retain(|record| record.name != name);
        zone.records.push(Record::from_rdata(name, ttl_s, RData::A(A(address.into()))));
    }

    /// Tells a server of a service, besides those it knows.
    pub(crate) fn add_server(&self, service: &str, priority: u16, target: &str, port: u16) {
        let server = SRV::new(priority, 0, port, absolute(target));
        self.add(service, RData::SRV(server));
    }

    /// Tells a service of a domain, besides those it knows.
    pub(crate) fn add_service(&self, domain: &str, order: u16, service: &str, replacement: &str) {
        let [flags, services, regexp] = ["s", service, ""].map(|text| text.as_bytes().into());
        self.add(domain, RData::NAPTR(NAPTR::new(order, 1, flags, services, regexp, absolute(replacement))));
    }

    /// Returns how often this was asked.
    pub(crate) fn count(&self, name: &str, record_type: RecordType) -> usize {
        let name = absolute(name).to_string();
        lock(&self.zone).asked.iter().filter(|asked| **asked == (name.clone(), record_type)).count()
    }

    fn add(&self, name: &str, data: RData) {
        lock(&self.zone).records.push(Record::from_rdata(absolute(name), 3600, data));
    }
}

fn serve(socket: &UdpSocket, zone: &Mutex<Zone>) {
    let mut datagram = vec![0; DATAGRAM_BYTES_MAX];
    while let Ok((length, from)) = socket.recv_from(&mut datagram) {
        let question = Message::from_vec(&datagram[..length]).expect("only resolvers ask here");
        let answer = lock(zone).answer(&question).to_vec().expect("what can be read can be written");
        // Who asked may be gone.
        let _ = socket.send_to(&answer, from);
    }
}

impl Zone {
    fn answer(&mut self, question: &Message) -> Message {
        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        answer.add_queries(question.queries.iter().cloned());
        for query in &question.queries {
            self.asked.push((query.name().to_lowercase().to_string(), query.query_type()));
            let known = self.records.iter().filter(|record| record.name == *query.name());
            if known.clone().next().is_none() {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            answer.add_answers(known.filter(|record| record.record_type() == query.query_type()).cloned());
        }
        answer
    }
}

fn absolute(name: &str) -> Name {
    let mut name = Name::from_ascii(name).expect("a name");
    name.set_fqdn(true);
    name
}

fn lock(zone: &Mutex<Zone>) -> MutexGuard<'_, Zone> {
    zone.lock().unwrap_or_else(PoisonError::into_inner)
}
