//! Why a prompt cannot be played, in sentences for the developer of the bot that named it.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use media::{Description, FileError};
use thiserror::Error;

use crate::outgoing::{RequestError, UriError};

/// Why a prompt cannot be played. Its text is one sentence and holds nothing of the URI but its origin.
#[derive(Clone, Debug, Error)]
pub enum PromptFailure {
    /// The bytes could not be had: Graph's 400 / 8536.
    #[error("The prompt could not be downloaded: {0}.")]
    Download(#[from] DownloadError),
    /// The bytes are not a prompt: Graph's 400 / 8535.
    #[error("The prompt cannot be played: {0}.")]
    Format(#[from] FormatError),
}

/// Why the bytes could not be had.
#[derive(Clone, Debug, Error)]
pub enum DownloadError {
    /// The URI, or one to which it was redirected, is not asked; or there was no answer.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Not the last byte in time.
    #[error("{origin} did not send all of it within {}", Seconds(*.limit))]
    Timeout {
        /// Scheme, host and port of the prompt's own URI.
        origin: String,
        /// How long was waited.
        limit: Duration,
    },
    /// An answer other than 200.
    #[error("{origin} answered with HTTP status {status}")]
    Status {
        /// Scheme, host and port.
        origin: String,
        /// Code and reason.
        status: reqwest::StatusCode,
    },
    /// A redirect that leads nowhere.
    #[error("{origin} answered with HTTP status {status} and no usable Location")]
    Redirect {
        /// Scheme, host and port.
        origin: String,
        /// Code and reason.
        status: reqwest::StatusCode,
    },
    /// Redirects without end.
    #[error("it was redirected more than {limit} times")]
    TooManyRedirects {
        /// How many are followed.
        limit: usize,
    },
    /// A file that is too large.
    #[error("it is larger than {}", Mebibytes(*.limit_bytes))]
    TooLarge {
        /// The largest that is accepted.
        limit_bytes: usize,
    },
    /// The server is fetching as many prompts as it can.
    #[error("this server is busy with {limit} other prompts; try again later")]
    Busy {
        /// How many.
        limit: usize,
    },
    /// The server is stopping, or has a bug; the log tells which.
    #[error("the server stopped fetching it")]
    Abandoned,
}

impl From<UriError> for DownloadError {
    fn from(error: UriError) -> Self {
        Self::Request(error.into())
    }
}

/// Why the bytes are not a prompt.
#[derive(Clone, Debug, Error)]
pub enum FormatError {
    /// Not audio that anybody could decode.
    #[error(transparent)]
    File(#[from] FileError),
    /// Audio, but not what Microsoft Graph documents; only the `strict` mode minds.
    #[error("Microsoft Graph plays WAV, mono, 16 bit, 16000 Hz, PCM, and the file is {0}")]
    NotGraph(Description),
    /// A file on which a decoder or encoder gave up.
    #[error("the file cannot be decoded")]
    Undecodable,
}

impl From<PromptFailure> for call::PromptFailure {
    fn from(failure: PromptFailure) -> Self {
        let kind = match failure {
            PromptFailure::Download(_) => call::PromptFailureKind::Download,
            PromptFailure::Format(_) => call::PromptFailureKind::Format,
        };
        Self { kind, message: failure.to_string() }
    }
}

struct Seconds(Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f32())
    }
}

struct Mebibytes(usize);

impl Display for Mebibytes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const MEBIBYTE: usize = 1024 * 1024;
        match self.0 {
            bytes if bytes < MEBIBYTE => write!(f, "{bytes} bytes"),
            bytes => write!(f, "{} MiB", bytes / MEBIBYTE),
        }
    }
}
