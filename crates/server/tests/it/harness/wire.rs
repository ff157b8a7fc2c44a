//! A network that may be bad: what is sent on it comes late, in another order, twice or not at all, both ways.
//!
//! ```text
//!   namespace of the server                                         namespace of the phones
//!   NEAR ── TUN ── socat ──► near.wire ─ Wire ─► far.tun ──► socat ── TUN ── FAR
//!                    near.tun ◄── Wire ── far.wire ◄──
//! ```
//!
//! The kernel's netem does the same, but not every kernel has it, and it draws other lots in each run; here a seed draws
//! them. A namespace is gone when the program that it was made for has ended and whoever entered it has left.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use fastrand::Rng;
use media::{Codec, Decoder, rtp};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tempfile::TempDir;

use super::PATIENCE;
use super::http::block_on;
use super::program::Program;
use super::wav::Wav;

/// The addresses of the two ends.
pub(crate) const NEAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
pub(crate) const FAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);

/// The longest packet, in bytes.
const MTU_BYTES: usize = 1500;

/// How long an idle wire waits for a packet before it looks whether it is to end.
const IDLE: Duration = Duration::from_millis(20);

/// Is what a server at [`NEAR`] is told, so that phones at both ends can be called.
pub(crate) fn wire_settings() -> String {
    format!("[rtp]\naddress = \"{NEAR}\"\n[dial]\nhosts = [\"{NEAR}\", \"{FAR}\"]\n")
}

/// What happens to packets. Shares are of 1. By default nothing does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Disorder {
    pub(crate) lost: f64,
    pub(crate) duplicated: f64,
    /// Those that overtake the others: they are not delayed.
    pub(crate) overtaking: f64,
    /// The others are delayed by this...
    pub(crate) delay: Duration,
    /// ...give or take up to this, each packet for itself.
    pub(crate) jitter: Duration,
}

/// A network of two hosts. Dropping it takes it away.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The host with the address [`NEAR`].
    pub(crate) near: Host,
    /// The host with the address [`FAR`].
    pub(crate) far: Host,
    carriers: Vec<JoinHandle<()>>,
    is_over: Arc<AtomicBool>,
    /// Every packet that has arrived at [`FAR`].
    arrived_at_far: Receiver<Vec<u8>>,
    /// What the namespaces and their interfaces live by.
    _interfaces: [Program; 2],
    /// Where the sockets are.
    _folder: TempDir,
}

/// One end: a namespace with an interface.
#[derive(Debug)]
pub(crate) struct Host {
    namespace: File,
    /// What goes through the interface.
    socket: UnixDatagram,
    /// Where to send what is to come out of it.
    interface: PathBuf,
}

impl Disorder {
    /// Returns the longest that a packet takes.
    pub(crate) const fn delay_max(&self) -> Duration {
        self.delay.saturating_add(self.jitter)
    }

    /// Draws what becomes of one packet: after how long each copy of it arrives.
    fn draw(&self, random: &mut Rng) -> Vec<Duration> {
        let copies = match random.f64() {
            lot if lot < self.lost => 0,
            lot if lot < self.lost + self.duplicated => 2,
            _ => 1,
        };
        let mut delay = || match random.f64() < self.overtaking {
            true => Duration::ZERO,
            false => self.delay - self.jitter + self.jitter.mul_f64(2.0 * random.f64()),
        };
        (0..copies).map(|_| delay()).collect()
    }
}

impl Wire {
    /// Lays it, unless this process may not make namespaces, which it says.
    pub(crate) fn lay(disorder: Disorder, seed: u64) -> Option<Wire> {
        let may_make_namespaces = Command::new("unshare").args(["--net", "true"]).stderr(Stdio::null()).status();
        if !may_make_namespaces.is_ok_and(|status| status.success()) {
            // Not by a macro, whose output a test that passes does not show. If it cannot be written, nobody is there to read it.
            let _ = writeln!(io::stderr(), "skipped: this user may not make network namespaces; root may");
            return None;
        }
        // The threads that speak HTTP are those of all tests, and must not be started in a namespace of this one.
        block_on(async {});
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let (near, near_interface) = Host::open(folder.path(), "near", NEAR);
        let (far, far_interface) = Host::open(folder.path(), "far", FAR);
        let is_over = Arc::new(AtomicBool::new(false));
        let (arriving_at_far, arrived_at_far) = channel();
        let ways = [(&near, &far, seed, Some(arriving_at_far)), (&far, &near, !seed, None)];
        let carriers = ways.map(|(from, to, seed, arriving)| {
            let carrier = Carrier {
                from: from.socket.try_clone().expect("sockets can"),
                to: to.socket.try_clone().expect("sockets can"),
                interface: to.interface.clone(),
                disorder,
                random: Rng::with_seed(seed),
                is_over: Arc::clone(&is_over),
                arriving,
            };
            thread::spawn(move || carrier.run())
        });
        let interfaces = [near_interface, far_interface];
        let carriers = carriers.into();
        Some(Wire { near, far, carriers, is_over, arrived_at_far, _interfaces: interfaces, _folder: folder })
    }

    /// Returns the sound that has arrived at [`FAR`], where one phone is, which speaks this codec: one packet after the
    /// other, as if no time were between them. It is for phones that make no recording themselves.
    ///
    /// # Panics
    ///
    /// For a codec without a payload type of its own.
    pub(crate) fn sound_at_far(&self, codec: Codec) -> Wav {
        let payload_type = codec.static_payload_type().expect("such codecs are not asked for");
        let (mut decoder, mut samples) = (Decoder::new(codec), Vec::new());
        for packet in self.arrived_at_far.try_iter() {
            let rtp = udp_payload(&packet).and_then(|payload| rtp::Packet::parse(payload).ok());
            if let Some(rtp) = rtp.filter(|rtp| rtp.payload_type == payload_type && !rtp.payload.is_empty()) {
                decoder.decode(rtp.payload, &mut samples).expect("the server sends what can be decoded");
            }
        }
        Wav { rate_hz: decoder.rate_hz(), channels: 1, samples }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for carrier in self.carriers.drain(..) {
            // A panic of it has been printed.
            let _ = carrier.join();
        }
    }
}

impl Host {
    fn open(folder: &Path, name: &str, address: Ipv4Addr) -> (Host, Program) {
        let (wire, interface) = (folder.join(format!("{name}.wire")), folder.join(format!("{name}.tun")));
        let socket = UnixDatagram::bind(&wire).expect("there is room for a socket");
        let script = format!(
            "ip link set lo up && exec socat TUN:{address}/24,tun-type=tun,iff-no-pi,iff-up UNIX-SENDTO:{},bind={}",
            wire.display(),
            interface.display()
        );
        let socat = Program::start("socat", Command::new("unshare").args(["--net", "sh", "-c", &script]));
        // It binds its socket when the interface is up.
        let deadline = Instant::now() + PATIENCE;
        while !interface.exists() {
            assert!(Instant::now() < deadline, "socat makes no interface; it needs /dev/net/tun");
            thread::sleep(Duration::from_millis(10));
        }
        let namespace = File::open(format!("/proc/{}/ns/net", socat.id())).expect("it runs");
        (Host { namespace, socket, interface }, socat)
    }

    /// Does something there, on a thread of its own. Sockets that are opened and programs that are started there stay there.
    pub(crate) fn enter<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        let namespace = self.namespace.as_fd();
        thread::scope(|scope| {
            let inside = scope.spawn(move || {
                move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))
                    .expect("who may make a namespace may enter it");
                act()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// One direction of a wire.
struct Carrier {
    from: UnixDatagram,
    to: UnixDatagram,
    interface: PathBuf,
    disorder: Disorder,
    random: Rng,
    is_over: Arc<AtomicBool>,
    /// Who wants to know what arrives.
    arriving: Option<Sender<Vec<u8>>>,
}

impl Carrier {
    fn run(mut self) {
        // By the time of their arrival; those that arrive together, in the order in which they were sent.
        let mut under_way: BTreeMap<(Instant, u64), Vec<u8>> = BTreeMap::new();
        let (mut packet, mut sent) = ([0; MTU_BYTES], 0);
        while !self.is_over.load(Ordering::Relaxed) {
            let now = Instant::now();
            while let Some(arrived) = under_way.first_entry().filter(|first| first.key().0 <= now) {
                let packet = arrived.remove();
                // The other end may have been taken away.
                let _ = self.to.send_to(&packet, &self.interface);
                if let Some(arriving) = &self.arriving {
                    // The wire itself has the other end, and outlives this.
                    let _ = arriving.send(packet);
                }
            }
            let next = under_way.first_key_value().map_or(IDLE, |((arrival, _), _)| *arrival - now);
            self.from.set_read_timeout(Some(next.min(IDLE))).expect("it is not zero: what was due has been sent");
            let Ok(length) = self.from.recv(&mut packet) else { continue };
            let now = Instant::now();
            for delay in self.disorder.draw(&mut self.random) {
                sent += 1;
                under_way.insert((now + delay, sent), packet[..length].to_vec());
            }
        }
    }
}

/// Returns what an IPv4 packet carries, if that is UDP (RFC 791 §3.1, RFC 768).
fn udp_payload(packet: &[u8]) -> Option<&[u8]> {
    const UDP: u8 = 17;
    const UDP_HEADER_BYTES: usize = 8;
    let first = packet.first()?;
    let is_udp = first >> 4 == 4 && packet.get(9) == Some(&UDP);
    let header_bytes = usize::from(first & 0xf) * 4 + UDP_HEADER_BYTES;
    packet.get(header_bytes..).filter(|_| is_udp)
}
