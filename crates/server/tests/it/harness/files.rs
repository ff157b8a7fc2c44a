//! Where prompts come from: good ones, and everything that goes wrong with prompts.

use std::future::pending;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use tokio::sync::watch;

use super::PATIENCE;
use super::ears::MUSIC_HZ;
use super::http::{block_on, serve};
use super::wav::{Wav, tone_wav};

/// More than the 50 MiB that a prompt may have.
const TOO_LARGE_BYTES: usize = 51 << 20;

/// A web server with files. All music in it is [`MUSIC_HZ`].
#[derive(Debug)]
pub(crate) struct Files {
    address: SocketAddr,
    /// How many have asked for the file that never comes.
    waiting: watch::Receiver<usize>,
}

impl Files {
    pub(crate) fn start() -> Files {
        let (asked, waiting) = watch::channel(0);
        let router = Router::new()
            .route("/music.wav", get(async || wav(&tone_wav(MUSIC_HZ))))
            .route("/stereo.wav", get(async || wav(&Wav::tone(MUSIC_HZ, 44_100, 2))))
            .route(
                "/tone.mp3",
                get(async || Bytes::from_static(include_bytes!("../../../../engine/tests/it/data/tone.mp3"))),
            )
            .route("/page.wav", get(async || Html("<!doctype html><title>Please log in</title>")))
            .route("/large.wav", get(async || Bytes::from(vec![0; TOO_LARGE_BYTES])))
            .route("/never.wav", get(async move || never(&asked).await));
        Files { address: serve(router), waiting }
    }

    /// Returns the URI of a file, which need not be there.
    pub(crate) fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits until somebody has asked for the file that never comes.
    pub(crate) fn expect_one_waiting(&self) {
        let mut waiting = self.waiting.clone();
        let asked = block_on(async { tokio::time::timeout(PATIENCE, waiting.wait_for(|waiting| *waiting > 0)).await });
        assert!(matches!(asked, Ok(Ok(_))), "nobody asked for the file");
    }
}

async fn never(asked: &watch::Sender<usize>) -> Bytes {
    asked.send_modify(|asked| *asked += 1);
    pending().await
}

/// Answers with a file that may be kept: who has it need not ask again.
fn wav(file: &Wav) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "audio/wav"), (CACHE_CONTROL, "max-age=3600")], file.to_bytes())
}
