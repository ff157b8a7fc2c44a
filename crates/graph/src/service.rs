//! Starts everything that speaks Graph, and stops it in order.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use engine::outgoing::Rule;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::api::{Api, Inner};
use crate::authority::access_token::own_validation;
use crate::authority::{
    Cloud, ForeignIssuer, KeyRing, KeyRingError, Replays, SecretCheck, SignIn, Verifier, turn_in_time,
};
use crate::browsers::IceServer;
use crate::calls::RecentCalls;
use crate::connections::Places;
use crate::console::{STREAMS_MAX, Watcher, WatcherTask};
use crate::directory::Directory;
use crate::listen::{Bound, Listening, Timeouts};
use crate::notify::Notifier;
use crate::outbox::Outbox;
use crate::public_url::{PublicUrl, PublicUrls};
use crate::recorder::{Announced, record};
use crate::retention::forget_old_calls;
use crate::site::Site;
use crate::store::{Store, StoreError, Writer};
use crate::throttle::{CallQuota, Month, Throttle, Throttling};
use crate::tls::{self, TlsError};

/// How long the database may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Is what the service needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of the database, the signing keys and the local certificate authority.
    pub data: PathBuf,
    /// Where http is listened on; port 0 takes a free one.
    pub http: SocketAddr,
    /// Where https is listened on, if anywhere.
    pub https: Option<SocketAddr>,
    /// What clients call us, if it is not the listeners' addresses.
    pub public_url: Option<PublicUrl>,
    /// Who may be sent notifications.
    pub callbacks: Rule,
    /// The servers that help browsers to find a path.
    pub ice_servers: Vec<IceServer>,
    /// Who may be asked for the keys of `issuers`.
    pub issuer_keys: Rule,
    /// The tenant and its applications.
    pub directory: Directory,
    /// Which of Microsoft's clouds this server stands in for: what Graph is called, and which methods it has.
    pub cloud: Cloud,
    /// Who else issues tokens that are taken here.
    pub issuers: Vec<ForeignIssuer>,
    /// How the authority issues tokens.
    pub authority: AuthoritySettings,
    /// What the tokens of notifications name as their issuer; the public URL when unset. Microsoft's own validators
    /// accept `https://api.botframework.com` only.
    pub notification_issuer: Option<String>,
    /// How much may be asked of the server.
    pub throttling: Throttling,
    /// How long parts of a request may take.
    pub timeouts: Timeouts,
    /// HTTP connections at a time, of both listeners together; more are closed.
    pub connections_max: usize,
    /// How long notifications are tried, and known.
    pub notifications: NotificationSettings,
    /// The files of the console.
    pub site: Site,
    /// Where `/metrics` comes from.
    pub metrics: PrometheusHandle,
}

/// Says how long notifications are tried, and known.
#[derive(Debug, Clone, Copy)]
pub struct NotificationSettings {
    /// How long a notification is tried again that its application does not take.
    pub give_up_after: Duration,
    /// How long an ended call is kept with what was told of it.
    pub kept: Duration,
}

/// Says how the authority issues tokens.
#[derive(Debug, Clone)]
pub struct AuthoritySettings {
    /// How old a signing key becomes before the next one signs; at least two days, because each is announced for one.
    pub signing_key_age: Duration,
    /// Whether an application may use an assertion that it signed more than once.
    pub assertion_reuse: bool,
    /// What the sign-in page tells a newcomer, if anything: in the dev profile, as whom to sign in.
    pub sign_in_hint: Option<String>,
}

/// Is the Graph side, running.
#[derive(Debug)]
pub struct Service {
    http: Listening,
    https: Option<Listening>,
    stop: watch::Sender<bool>,
    outbox: Outbox,
    recorder: JoinHandle<()>,
    retention: JoinHandle<()>,
    key_turning: JoinHandle<()>,
    writer: JoinHandle<()>,
    watcher: WatcherTask,
}

/// Says why the service could not start, in a sentence for the operator.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StartError(#[from] Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("the data folder {path} cannot be used: {source}")]
    Data { path: PathBuf, source: io::Error },
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Service {
    /// Starts to serve: opens the store, ends what a crash left, delivers, listens. To be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`StartError`]; nothing runs then but tasks that end by themselves.
    pub async fn start(settings: Settings, engine: engine::Started) -> Result<Service, StartError> {
        Ok(start(settings, engine).await?)
    }

    /// Returns where http is listened on.
    #[must_use]
    pub fn http_address(&self) -> SocketAddr {
        self.http.address()
    }

    /// Returns where https is listened on, if anywhere.
    #[must_use]
    pub fn https_address(&self) -> Option<SocketAddr> {
        self.https.as_ref().map(Listening::address)
    }

    /// Stops: open requests end, what is stored is kept, and what is not delivered is delivered after the next start.
    pub async fn shutdown(self) {
        // Streams would never end by themselves.
        drop(self.watcher);
        for listening in [Some(self.http), self.https].into_iter().flatten() {
            listening.close().await;
        }
        // Nobody listens any more if the outbox has ended by itself.
        let _ = self.stop.send(true);
        self.recorder.abort();
        self.retention.abort();
        self.key_turning.abort();
        // The writer ends when the last handle of the store is gone.
        drop(self.outbox);
        if tokio::time::timeout(CLOSE_TIMEOUT, self.writer).await.is_err() {
            tracing::warn!("the database was still in use when the program ended");
        }
    }
}

async fn start(settings: Settings, engine: engine::Started) -> Result<Service, Cause> {
    // Ports first: if one is taken, nothing has been touched.
    let http = bind(settings.http)?;
    let https = settings.https.map(bind).transpose()?;
    let keys = Arc::new(open_key_ring(settings.data.clone(), settings.authority.signing_key_age).await?);
    let (store, writer) = open_store(&settings.data).await?;
    let urls = PublicUrls::new(settings.public_url, http.address(), https.as_ref().map(Bound::address));
    let tls = https.as_ref().map(|_| tls::server_config(&settings.data, urls.configured_host())).transpose()?;
    let issuer = settings.notification_issuer.unwrap_or_else(|| urls.main().as_str().to_owned());
    let (stop, stopping) = watch::channel(false);
    let notifier = Notifier::new(Arc::clone(&keys), issuer.clone(), &settings.directory, settings.callbacks.clone());
    let outbox = Outbox::new(store.clone(), notifier, settings.notifications.give_up_after, stopping);
    let writer = tokio::spawn(writer.run(outbox.commit_listener()));
    outbox.wake_all().await?;
    let announced = Announced::default();
    let throttle = Arc::new(open_throttle(&settings.throttling, &settings.directory, &store).await?);
    let directory = settings.directory.clone();
    let recorder =
        tokio::spawn(record(engine.changes, announced.clone(), Arc::clone(&throttle), directory, store.clone()));
    let retention = tokio::spawn(forget_old_calls(store.clone(), settings.notifications.kept));
    let own = own_validation(&urls, settings.directory.tenant, settings.cloud);
    let verifier = Verifier::new(Arc::clone(&keys), own, settings.issuers, settings.issuer_keys);
    let key_turning = tokio::spawn(turn_in_time(Arc::clone(&keys)));
    let (watcher, watcher_task) = Watcher::start(engine.engine.clone());
    let api = Api(Arc::new(Inner {
        callbacks: settings.callbacks,
        ice_servers: settings.ice_servers,
        verifier,
        cloud: settings.cloud,
        directory: settings.directory,
        urls,
        keys,
        secret_check: SecretCheck::new(),
        replays: Replays::default(),
        sign_in: SignIn::new(settings.authority.sign_in_hint),
        assertion_reuse: settings.authority.assertion_reuse,
        notification_issuer: issuer,
        recent_calls: RecentCalls::default(),
        throttle,
        timeouts: settings.timeouts,
        watcher,
        streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        engine: engine.engine,
        store,
        announced,
        site: settings.site,
        metrics: settings.metrics,
    }));
    let http_address = http.address();
    let places = Places::new(settings.connections_max);
    let http = http.serve(&api, places.clone()).map_err(|source| Cause::Listen { address: http_address, source })?;
    let https = https.zip(tls).map(|(bound, tls)| {
        let address = bound.address();
        bound.serve_tls(&api, places, tls).map_err(|source| Cause::Listen { address, source })
    });
    Ok(Service {
        http,
        https: https.transpose()?,
        stop,
        outbox,
        recorder,
        retention,
        key_turning,
        writer,
        watcher: watcher_task,
    })
}

fn bind(address: SocketAddr) -> Result<Bound, Cause> {
    Bound::new(address).map_err(|source| Cause::Listen { address, source })
}

/// Reads or makes the keys beside the runtime: making one takes about a second of pure computing.
async fn open_key_ring(data: PathBuf, age_max: Duration) -> Result<KeyRing, Cause> {
    let open = move || {
        std::fs::create_dir_all(&data).map_err(|source| Cause::Data { path: data.clone(), source })?;
        Ok(KeyRing::open(&data, age_max, Utc::now())?)
    };
    tokio::task::spawn_blocking(open).await.expect("opening the keys does not panic")
}

async fn open_throttle(limits: &Throttling, directory: &Directory, store: &Store) -> Result<Throttle, StoreError> {
    let placed = store.calls_placed(Month::of(Utc::now())).await?;
    let apps = directory.apps.iter().map(|app| app.id.0);
    let known = apps.chain(directory.users.iter().map(|user| user.id.0));
    Ok(Throttle::new(limits, known, CallQuota::new(limits, placed)))
}

async fn open_store(data: &Path) -> Result<(Store, Writer), Cause> {
    let (store, mut writer) = Store::open(data).await?;
    let calls = writer.end_what_a_crash_left().await?;
    if calls > 0 {
        tracing::warn!(calls, "ended the calls that the last process left");
    }
    Ok((store, writer))
}
