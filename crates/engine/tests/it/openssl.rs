//! Handshakes with OpenSSL, on real sockets: that what we agree on with ourselves is what others agree on with us.

use edge::dtls::{Association, Certificate, Role, Status, Terms};
use edge::srtp::{Keys, MasterKey, Protection, Suite};
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a handshake may take here: a busy machine may lose the first second to the start of the program.
const PATIENCE: Duration = Duration::from_secs(10);

const PACKET: [u8; 16] = [0x80, 8, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

/// A profile of SRTP: our name and OpenSSL's.
const PROFILES: [(Suite, &str); 3] = [
    (Suite::AesCm128HmacSha1Tag80, "SRTP_AES128_CM_SHA1_80"),
    (Suite::AeadAes128Gcm, "SRTP_AEAD_AES_128_GCM"),
    (Suite::AeadAes256Gcm, "SRTP_AEAD_AES_256_GCM"),
];

/// How long key and salt of a suite are.
fn lengths(suite: Suite) -> (usize, usize) {
    match suite {
        Suite::AeadAes128Gcm => (16, 12),
        Suite::AeadAes256Gcm => (32, 12),
        Suite::AesCm128HmacSha1Tag80 | Suite::AesCm128HmacSha1Tag32 => (16, 14),
        Suite::AesCm256HmacSha1Tag80 | Suite::AesCm256HmacSha1Tag32 => (32, 14),
    }
}

/// `openssl s_client` or `s_server`, which writes the keys that it exports.
struct OpenSsl {
    process: Child,
    lines: Receiver<String>,
    _folder: TempDir,
}

impl OpenSsl {
    fn start(arguments: &[&str], certificate: &Certificate, profile: &str, suite: Suite) -> OpenSsl {
        let folder = tempfile::tempdir().unwrap();
        let (certificate_path, key_path) = (folder.path().join("certificate.der"), folder.path().join("key.der"));
        fs::write(&certificate_path, certificate.der()).unwrap();
        fs::write(&key_path, certificate.private_key()).unwrap();
        let (key_bytes, salt_bytes) = lengths(suite);
        let mut process = Command::new("openssl")
            .args(arguments)
            .args(["-dtls1_2", "-use_srtp", profile, "-certform", "DER", "-keyform", "DER"])
            .arg("-cert")
            .arg(&certificate_path)
            .arg("-key")
            .arg(&key_path)
            .args(["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen"])
            .arg((2 * (key_bytes + salt_bytes)).to_string())
            // Whoever reads the end of its input ends.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is part of every system");
        let (sender, lines) = channel();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || stdout.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        OpenSsl { process, lines, _folder: folder }
    }

    /// Waits for what it writes behind these words.
    fn read(&self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("openssl does not write {words:?}"));
            if let Some(rest) = line.trim().strip_prefix(words) {
                return rest.trim().to_owned();
            }
        }
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Carries datagrams until there are keys.
fn shake(socket: &UdpSocket, association: &mut Association, mut peer: Option<SocketAddr>) {
    socket.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let (deadline, mut datagram) = (Instant::now() + PATIENCE, [0; 2048]);
    while association.status() == Status::Pending && Instant::now() < deadline {
        match socket.recv_from(&mut datagram) {
            Ok((length, from)) => {
                peer = Some(from);
                association.receive(&datagram[..length], Instant::now());
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            // Nobody listens yet.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(error) => panic!("{error}"),
        }
        if association.deadline().is_some_and(|deadline| deadline <= Instant::now()) {
            association.expire(Instant::now());
        }
        while let (Some(to), Some(datagram)) = (peer, association.poll_transmit()) {
            socket.send_to(&datagram, to).unwrap();
        }
    }
    assert_eq!(association.status(), Status::Keyed);
}

fn association(role: Role, ours: &Certificate, theirs: &Certificate) -> Association {
    let (certificate, fingerprints) = (ours.clone(), vec![theirs.fingerprint().clone()]);
    let terms = Terms { certificate, role, fingerprints, tls_id: String::new(), remote_tls_id: None };
    Association::new(&terms, Instant::now())
}

/// What OpenSSL has exported is what we encrypt with: the client's key, the server's, the client's salt, the server's.
fn assert_same_keys(association: &mut Association, exported: &str, suite: Suite, role_of_openssl: Role) {
    let digits: Vec<char> = exported.chars().collect();
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect();
    let (key, salt) = lengths(suite);
    let part = |at: usize, salt_at: usize| {
        let (key, salt) = (&bytes[at..at + key], &bytes[salt_at..salt_at + salt]);
        MasterKey::new(suite, &[key, salt].concat()).unwrap()
    };
    let (client, server) = (part(0, 2 * key), part(key, 2 * key + salt));
    let keys = match role_of_openssl {
        Role::Client => Keys { ours: client, theirs: server },
        Role::Server => Keys { ours: server, theirs: client },
    };
    let mut openssl = Protection::new(&keys);
    let (mut sealed, mut opened) = (Vec::new(), Vec::new());
    openssl.protect(&PACKET, &mut sealed).unwrap();
    association.unprotect(&sealed, &mut opened).unwrap();
    assert_eq!(opened, PACKET);
    association.protect(&PACKET, &mut sealed).unwrap();
    openssl.unprotect(&sealed, &mut opened).unwrap();
    assert_eq!(opened, PACKET);
    assert_eq!(association.suite(), Some(suite));
}

#[test]
fn openssl_begins_and_has_the_same_keys() {
    for (suite, profile) in PROFILES {
        let [ours, theirs] = [(); 2].map(|()| Certificate::generate().unwrap());
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let openssl = OpenSsl::start(&["s_client", "-connect", &address], &theirs, profile, suite);
        let mut association = association(Role::Server, &ours, &theirs);
        shake(&socket, &mut association, None);
        let exported = openssl.read("Keying material:");
        assert_same_keys(&mut association, &exported, suite, Role::Client);
    }
}

#[test]
fn openssl_waits_and_has_the_same_keys() {
    for (suite, profile) in PROFILES {
        let [ours, theirs] = [(); 2].map(|()| Certificate::generate().unwrap());
        let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let arguments = ["s_server", "-Verify", "1", "-accept", &free.to_string()];
        let openssl = OpenSsl::start(&arguments, &theirs, profile, suite);
        openssl.read("ACCEPT");
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut association = association(Role::Client, &ours, &theirs);
        shake(&socket, &mut association, Some(free));
        let exported = openssl.read("Keying material:");
        assert_same_keys(&mut association, &exported, suite, Role::Server);
    }
}
