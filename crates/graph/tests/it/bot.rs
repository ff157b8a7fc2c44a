//! A bot's callback: takes notifications, remembers them, and answers as it is told.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::sync::watch;

/// How long a test waits for a notification before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Is a callback that listens.
pub(crate) struct Bot {
    uri: String,
    shared: Arc<Shared>,
}

struct Shared {
    posts: watch::Sender<Vec<Post>>,
    silent_posts: AtomicUsize,
    answers: Mutex<VecDeque<Answer>>,
}

/// Is what a notification is answered with.
#[derive(Debug, Clone, Copy)]
struct Answer {
    status: StatusCode,
    retry_after_s: Option<u32>,
}

/// Is one request that came.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Bot {
    pub(crate) async fn start() -> Bot {
        let shared = Arc::new(Shared {
            posts: watch::Sender::new(Vec::new()),
            silent_posts: AtomicUsize::new(0),
            answers: Mutex::default(),
        });
        let router = Router::new()
            .route("/cb", post(receive))
            .route("/cb/silent/{n}", post(never))
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let uri = format!("http://{}/cb", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Bot { uri, shared }
    }

    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// Says what the next notifications are answered with; after that it is 202 again.
    pub(crate) fn answer_next(&self, statuses: &[u16]) {
        statuses.iter().for_each(|status| self.answer(*status, None));
    }

    /// Says that the next notification is answered with a wish to be left alone for a while.
    pub(crate) fn answer_next_with_retry_after(&self, status: u16, seconds: u32) {
        self.answer(status, Some(seconds));
    }

    fn answer(&self, status: u16, retry_after_s: Option<u32>) {
        let status = StatusCode::from_u16(status).expect("a status");
        self.shared.answers.lock().expect("no test panics here").push_back(Answer { status, retry_after_s });
    }

    /// Returns a callback on the same host and port that takes requests and never answers.
    pub(crate) fn silent_uri(&self, n: usize) -> String {
        format!("{}/silent/{n}", self.uri)
    }

    /// Returns how many requests wait for an answer that never comes.
    pub(crate) fn silent_posts(&self) -> usize {
        self.shared.silent_posts.load(Ordering::Relaxed)
    }

    /// Lists every request so far, also those that were refused.
    pub(crate) fn posts(&self) -> Vec<Post> {
        self.shared.posts.borrow().clone()
    }

    /// Waits until a notice fits, and returns it.
    pub(crate) async fn wait_for(&self, fits: impl Fn(&Value) -> bool) -> Value {
        let mut posts = self.shared.posts.subscribe();
        let found = |posts: &Vec<Post>| posts.iter().map(notice).find(|notice| fits(notice)).cloned();
        let waited = tokio::time::timeout(PATIENCE, posts.wait_for(|posts| found(posts).is_some())).await;
        let posts = waited.unwrap_or_else(|_| panic!("only these came: {:#?}", self.notices())).expect("the bot lives");
        found(&posts).expect("just found")
    }

    /// Waits until so many requests have come.
    pub(crate) async fn wait_for_posts(&self, count: usize) -> Vec<Post> {
        let mut posts = self.shared.posts.subscribe();
        let waited = tokio::time::timeout(PATIENCE, posts.wait_for(|posts| posts.len() >= count)).await;
        waited.unwrap_or_else(|_| panic!("only these came: {:#?}", self.notices())).expect("the bot lives").clone()
    }

    /// Lists the notices in the order in which they came.
    pub(crate) fn notices(&self) -> Vec<Value> {
        self.shared.posts.borrow().iter().map(notice).cloned().collect()
    }
}

fn notice(post: &Post) -> &Value {
    &post.body["value"][0]
}

async fn never(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.silent_posts.fetch_add(1, Ordering::Relaxed);
    std::future::pending().await
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let body = serde_json::from_slice(&body).expect("a notification is JSON");
    let answer = shared.answers.lock().expect("no test panics here").pop_front();
    shared.posts.send_modify(|posts| posts.push(Post { headers, body }));
    match answer {
        None => StatusCode::ACCEPTED.into_response(),
        Some(Answer { status, retry_after_s: None }) => status.into_response(),
        Some(Answer { status, retry_after_s: Some(seconds) }) => {
            (status, [(RETRY_AFTER, seconds.to_string())]).into_response()
        }
    }
}
