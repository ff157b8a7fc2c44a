//! Kamailio, a proxy that people use, in its Debian version 5.6.3: between phones and the server, on the way of everything
//! that is said within their calls (RFC 3261 §16.6, Record-Route).

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use phone::{Answer, Codec, Config, Observation, Phone, Register, Speech};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use super::PATIENCE;
use super::ears::{SPOKEN_DBFS, go_first};
use super::free_address::free_address;

/// Where a proxy is to be: told to the server before it, and to the proxy after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProxyAddress(SocketAddr);

/// A proxy that runs. Dropping it kills it, with all its processes.
#[derive(Debug)]
pub(crate) struct Kamailio {
    process: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl ProxyAddress {
    /// Chooses a free one.
    pub(crate) fn choose() -> ProxyAddress {
        ProxyAddress(free_address())
    }

    /// Returns the address as the URI of a proxy.
    pub(crate) fn uri(self) -> String {
        format!("sip:{}", self.0)
    }
}

impl Kamailio {
    /// Starts it in front of a server, and waits until it answers. Numbers that the server calls are at `gateway`, which is
    /// a SIP URI.
    pub(crate) fn start(ProxyAddress(address): ProxyAddress, server: SocketAddr, gateway: &str) -> Kamailio {
        go_first();
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let path = folder.path().join("kamailio.cfg");
        fs::write(&path, configuration(address, server, gateway)).expect("there is room");
        let process = Command::new("kamailio")
            .arg("-f")
            .arg(&path)
            // It stays in the foreground; its memory, shared and of each process, in MB.
            .args(["-DD", "-m", "16", "-M", "4", "-Y"])
            .arg(folder.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log")).expect("there is room"))
            .spawn()
            .expect("kamailio is installed: ./test does that");
        let kamailio = Kamailio { process, folder, address };
        kamailio.wait_until_it_answers();
        kamailio
    }

    /// Returns the URI under which the server's users are called through it.
    pub(crate) fn uri_of(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.address)
    }

    /// Switches a phone of a user's on that says a tone, and waits until it has registered through the proxy.
    pub(crate) fn phone(&self, user: &str, codec: Codec, hz: u32, answer: Answer) -> Phone {
        let register = Register { server: self.address, user: user.to_owned(), password: "fermata-dev".to_owned() };
        let config = Config {
            register: Some(register),
            speaks: Speech::Tone { hz, level_dbfs: SPOKEN_DBFS },
            codecs: vec![codec],
            answer,
            ..Config::new(user, Ipv4Addr::LOCALHOST.into())
        };
        let phone = Phone::start(config).expect("there are sockets for a phone");
        phone.wait_until(PATIENCE, Observation::is_registered).expect("it registers through the proxy");
        phone
    }

    fn wait_until_it_answers(&self) {
        const PAUSE: Duration = Duration::from_millis(50);
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        socket.set_read_timeout(Some(PAUSE)).expect("sockets can");
        let own = socket.local_addr().expect("a socket has an address");
        let question = format!(
            "OPTIONS sip:{0} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK1\r\nFrom: <sip:test@{own}>;tag=1\r\n\
             To: <sip:{0}>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 1\r\nContent-Length: 0\r\n\r\n",
            self.address
        );
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            // Until its socket is there, the system refuses for it.
            let asked = socket.send_to(question.as_bytes(), self.address);
            if asked.is_ok() && socket.recv(&mut [0; 2048]).is_ok() {
                return;
            }
            thread::sleep(PAUSE);
        }
        panic!("kamailio does not answer");
    }
}

impl Drop for Kamailio {
    #[expect(clippy::print_stderr, reason = "the reason of a failed test is often in the log")]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("kamailio:\n{}", fs::read_to_string(self.folder.path().join("log")).unwrap_or_default());
        }
        // It may have ended by itself. Its main process alone would leave the others behind.
        let _ = rustix::process::kill_process_group(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
    }
}

/// What comes from the server goes where it says; what phones begin goes to the server, and what is said in calls follows
/// their routes.
fn configuration(address: SocketAddr, server: SocketAddr, gateway: &str) -> String {
    let (host, port) = (server.ip(), server.port());
    format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
children=2
disable_tcp=yes
auto_aliases=no
use_dns_cache=off
listen=udp:{address}

loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"

request_route {{
    if (is_method("OPTIONS") && uri == myself && !has_totag()) {{
        sl_send_reply("200", "OK");
        exit;
    }}
    if (!mf_process_maxfwd_header("70")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) {{
            t_relay();
        }}
        exit;
    }}
    if (has_totag()) {{
        if (loose_route() || (is_method("ACK") && t_check_trans())) {{
            t_relay();
        }}
        exit;
    }}
    if (!($si == "{host}" && $sp == {port})) {{
        $du = "sip:{server}";
    }} else if ($rU =~ "^\+") {{
        $ru = "{gateway}";
    }}
    record_route();
    t_relay();
}}
"#
    )
}
