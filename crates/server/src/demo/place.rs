//! Where the demo takes place: its settings, its folder and its log.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;

use crate::config::{self, Settings};

/// The folder for everything the demo writes.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    pub(super) settings: Settings,
    /// The usual addresses that somebody else has.
    pub(super) taken: Vec<SocketAddr>,
}

impl Place {
    /// Makes the folder and the settings: the `dev` profile, on free ports so that it never collides. `at_usual_ports`
    /// takes the usual ones where they are free.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made or the settings are wrong.
    pub(super) fn prepare(folder: PathBuf, at_usual_ports: bool) -> anyhow::Result<Place> {
        let mut settings = config::load(None)?;
        settings.data = folder.join("data");
        fs::create_dir_all(&settings.data).with_context(|| format!("{} cannot be made", settings.data.display()))?;
        let taken = match at_usual_ports {
            true => leave_taken_ports(&mut settings),
            false => {
                settings.https.listen = None;
                settings.http.listen.set_port(0);
                settings.sip.listen.set_port(0);
                settings.sip.tls_listen = None;
                settings.webrtc.listen = None;
                Vec::new()
            }
        };
        Ok(Place { folder, settings, taken })
    }

    /// Starts the log, which goes to a file: the terminal has something else to show. Returns the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be made.
    pub(super) fn start_log(&self) -> anyhow::Result<PathBuf> {
        let path = self.settings.data.join("demo.log");
        let file = open_log(&path)?;
        let filter = tracing_subscriber::EnvFilter::try_from_env("FERMATA_LOG").unwrap_or_else(|_| "info".into());
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(Mutex::new(file)).with_ansi(false).init();
        Ok(path)
    }
}

fn open_log(path: &Path) -> anyhow::Result<File> {
    File::create(path).with_context(|| format!("{} cannot be written", path.display()))
}

/// Takes free ports instead of those that somebody else has, and returns the latter.
fn leave_taken_ports(settings: &mut Settings) -> Vec<SocketAddr> {
    let (http, sip) = (&mut settings.http.listen, &mut settings.sip);
    let (https, webrtc) = (settings.https.listen.as_mut(), settings.webrtc.listen.as_mut());
    let listeners = [Some(http), https, Some(&mut sip.listen), sip.tls_listen.as_mut(), webrtc];
    let taken = listeners.into_iter().flatten().filter(|address| !is_free(**address));
    taken.map(|address| std::mem::replace(address, SocketAddr::new(address.ip(), 0))).collect()
}

fn is_free(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
}
