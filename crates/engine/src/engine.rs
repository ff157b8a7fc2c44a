//! The handle that others hold: places calls and carries commands to the conversation's owner.

use crate::browsers::{Bells, Port, Served};
use crate::change::{Attachment, Change, Outcome, Reply};
use crate::config::Config;
use crate::prompts::{CallScope, PromptSource, Prompts};
use crate::sip_loop::SipLoop;
use crate::tick::TickStatistics;
use crate::worker::{Busy, Job, Worker, WorkerHandle};
use call::{Accepted, CallId, Command, ConversationId, NewCall, Refusal};
use edge::dtls::Certificate;
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Changes that wait to be recorded. Behind it each worker keeps what does not fit and refuses new commands
/// meanwhile, so nothing is ever dropped.
const CHANGES_WAITING_MAX: usize = 4096;

/// How long SIP may take to say its last words.
const SIP_STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Runs conversations. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) workers: Arc<[WorkerHandle]>,
    pub(crate) bells: Bells,
    pub(crate) browsers: Option<Served>,
    calls: CallTable,
    prompts: Prompts,
    sip_address: SocketAddr,
    sip_tls_address: Option<SocketAddr>,
    /// The task of SIP; it ends when every worker has.
    sip: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// Which worker owns a call.
pub(crate) type CallTable = Arc<Mutex<HashMap<CallId, usize>>>;

/// An engine that runs, and the stream of what happens in it.
#[derive(Debug)]
pub struct Started {
    /// The handle.
    pub engine: Engine,
    /// Everything that has to be recorded.
    pub changes: mpsc::Receiver<Change>,
}

/// Why a call could not be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// Too much waits already.
    #[error("the media workers are busy")]
    Busy,
    /// What was accepted could not be stored.
    #[error("the call could not be stored")]
    NotRecorded,
}

/// Why a command was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError {
    /// The rules say no.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// Too much waits already.
    #[error("the media worker is busy")]
    Busy,
    /// What was accepted could not be stored.
    #[error("the change could not be stored")]
    NotRecorded,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("sip_address", &self.sip_address).finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts the workers and the SIP side. To be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// An I/O error if a socket cannot be bound, a thread not be started, or no certificate be made.
    pub async fn start(config: Config) -> std::io::Result<Started> {
        let (changes_in, changes) = mpsc::channel(CHANGES_WAITING_MAX);
        let calls = CallTable::default();
        let prompts = Prompts::new(config.prompts.clone());
        prompts.warm_up();
        let bells = Bells::default();
        let certificate = Certificate::generate().map_err(std::io::Error::other)?;
        let bound = config.webrtc.map(|webrtc| Port::bind(webrtc, certificate.clone())).transpose()?;
        let (port, browsers) = bound.unzip();
        let (sip, sip_commands) = SipLoop::bind(&config.sip).await?;
        let (sip_address, sip_tls_address) = (sip.local_address(), sip.tls_address());
        let mut workers = Vec::new();
        for index in 0..config.workers.max(1) {
            workers.push(
                Worker {
                    index,
                    config: config.clone(),
                    changes: changes_in.clone(),
                    sip: sip_commands.clone(),
                    prompts: prompts.clone(),
                    calls: Arc::clone(&calls),
                    runtime: tokio::runtime::Handle::current(),
                    bells: bells.clone(),
                    browser_port: browsers.as_ref().map(|served: &Served| served.port.clone()),
                    certificate: certificate.clone(),
                }
                .start()?,
            );
        }
        let workers: Arc<[WorkerHandle]> = workers.into();
        drop(sip_commands);
        if let Some(port) = port {
            port.start(Arc::clone(&workers))?;
        }
        let sip = Arc::new(Mutex::new(Some(tokio::spawn(sip.run(Arc::clone(&workers))))));
        let engine = Self { workers, bells, browsers, calls, prompts, sip_address, sip_tls_address, sip };
        Ok(Started { engine, changes })
    }

    /// Places a call in a conversation of its own. `prefetch` is fetched in the background
    /// (`serviceHostedMediaConfig.preFetchMedia`).
    ///
    /// # Errors
    ///
    /// [`CreateError`]; nothing has happened then.
    pub async fn create_call(&self, call: NewCall, prefetch: Vec<PromptSource>) -> Result<(), CreateError> {
        let (id, conversation) = (call.id, ConversationId::new(new_guid()));
        self.prompts.prefetch(CallScope::new(conversation.as_u128()), prefetch);
        let index = self.least_loaded();
        let (reply, answer) = oneshot::channel();
        let job = Job::Create { conversation, call, reply };
        self.table().insert(id, index);
        let result = match self.workers[index].send(job) {
            Ok(()) => answer.await.map_err(|_| CreateError::Busy).and_then(|r| r.map_err(CreateError::from)),
            Err(Busy) => Err(CreateError::Busy),
        };
        if result.is_err() {
            self.table().remove(&id);
        }
        result.map(|_| ())
    }

    /// Carries a command to the conversation of `call` and waits until what it changed is recorded.
    ///
    /// # Errors
    ///
    /// [`ExecuteError`]; after [`ExecuteError::Refused`] and [`ExecuteError::Busy`] nothing has changed.
    pub async fn execute(&self, call: CallId, command: Command) -> Result<Accepted, ExecuteError> {
        self.execute_with(call, command, Attachment::default()).await
    }

    /// Does what [`Engine::execute`] does, with what the rules need not know.
    ///
    /// # Errors
    ///
    /// [`ExecuteError`]; after [`ExecuteError::Refused`] and [`ExecuteError::Busy`] nothing has changed.
    pub async fn execute_with(
        &self,
        call: CallId,
        command: Command,
        attachment: Attachment,
    ) -> Result<Accepted, ExecuteError> {
        let index = self.table().get(&call).copied().ok_or(ExecuteError::Refused(Refusal::CallNotFound))?;
        let (reply, answer): (Reply, _) = oneshot::channel();
        let job = Job::Execute { call, command, attachment, reply };
        self.workers[index].send(job).map_err(|Busy| ExecuteError::Busy)?;
        answer.await.map_err(|_| ExecuteError::Busy)?.map_err(ExecuteError::from)
    }

    /// Ends every conversation, waits until that is told to applications and phones, and stops. What is asked for after
    /// this is answered "busy".
    pub async fn shutdown(&self) {
        self.bells.close();
        for worker in self.workers.iter() {
            let (done, ended) = oneshot::channel();
            if worker.send(Job::Shutdown { done }).is_ok() {
                // The worker drops its end when everything is told.
                let _ = ended.await;
            }
        }
        if let Some(Served { port, .. }) = &self.browsers {
            port.stop();
        }
        let sip = self.sip.lock().expect("nothing panics while it holds the task of SIP").take();
        if let Some(sip) = sip
            && tokio::time::timeout(SIP_STOP_TIMEOUT, sip).await.is_err()
        {
            tracing::warn!("SIP did not stop in time");
        }
    }

    /// Where SIP is spoken.
    #[must_use]
    pub fn sip_address(&self) -> SocketAddr {
        self.sip_address
    }

    /// Where SIP is spoken over TLS, if it is.
    #[must_use]
    pub fn sip_tls_address(&self) -> Option<SocketAddr> {
        self.sip_tls_address
    }

    /// The prompts, for looking at what is cached.
    #[must_use]
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// How punctual the ticks of each worker are.
    #[must_use]
    pub fn tick_statistics(&self) -> Vec<TickStatistics> {
        self.workers.iter().map(WorkerHandle::tick_statistics).collect()
    }

    /// Brings the gauges of the metrics up to date; the workers themselves only count.
    pub fn publish_metrics(&self) {
        for (index, worker) in self.workers.iter().enumerate() {
            let label = index.to_string();
            let TickStatistics { ticks, late_1_ms, late_5_ms, late_20_ms, late_max_us, late_sum_us } =
                worker.tick_statistics();
            let gauge = |name: &'static str, value: f64| metrics::gauge!(name, "worker" => label.clone()).set(value);
            gauge("fermata_conversations", worker.conversations() as f64);
            gauge("fermata_tick_late_max_seconds", late_max_us as f64 / 1e6);
            let counter =
                |name: &'static str, value: u64| metrics::counter!(name, "worker" => label.clone()).absolute(value);
            counter("fermata_ticks_total", ticks);
            counter("fermata_ticks_late_1_ms_total", late_1_ms);
            counter("fermata_ticks_late_5_ms_total", late_5_ms);
            counter("fermata_ticks_late_20_ms_total", late_20_ms);
            counter("fermata_tick_late_microseconds_total", late_sum_us);
        }
    }

    /// Makes an id for a call, a participant or an operation.
    #[must_use]
    pub fn new_id() -> u128 {
        new_guid()
    }

    /// The worker that owns a call.
    pub(crate) fn owner(&self, call: CallId) -> Option<usize> {
        self.table().get(&call).copied()
    }

    pub(crate) fn worker_count(&self) -> usize {
        self.workers.len()
    }

    pub(crate) fn send(&self, worker: usize, job: Job) -> Result<(), Busy> {
        self.workers[worker].send(job)
    }

    fn least_loaded(&self) -> usize {
        let by_load = self.workers.iter().enumerate().min_by_key(|(_, worker)| worker.conversations());
        by_load.map_or(0, |(index, _)| index)
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<CallId, usize>> {
        self.calls.lock().expect("nothing panics while it holds the table of calls")
    }
}

impl From<Outcome> for ExecuteError {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Refused(refusal) => Self::Refused(refusal),
            Outcome::NotRecorded => Self::NotRecorded,
        }
    }
}

impl From<Outcome> for CreateError {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::NotRecorded | Outcome::Refused(_) => Self::NotRecorded,
        }
    }
}

/// A random GUID (version 4).
pub(crate) fn new_guid() -> u128 {
    uuid::Uuid::new_v4().as_u128()
}

/// 32 bytes that nobody can guess: 244 random bits of two GUIDs.
pub(crate) fn new_secret() -> [u8; 32] {
    let [first, second] = [new_guid(), new_guid()].map(u128::to_be_bytes);
    std::array::from_fn(|at| if at < 16 { first[at] } else { second[at - 16] })
}
