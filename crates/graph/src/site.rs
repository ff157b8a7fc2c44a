//! The console's files: pages that are asked for anew each time, and assets that never change under their name.
//!
//! They are compressed once, at start. The pages load nothing from anywhere else and run no script that is not a file of
//! ours (Content Security Policy Level 3); all they know they fetch with a token.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use crate::api::Api;
use crate::error::Failure;

/// What the pages may do: our own files and our own API, in nobody's frame, and no form is sent.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A page must be asked for each time, since it names the assets that belong to it; its tag makes that cheap.
const ASK_EACH_TIME: &str = "no-cache";

/// An asset's name holds a hash of what is in it.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Is a set of files by their paths. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Site(Arc<HashMap<String, File>>);

#[derive(Debug)]
struct File {
    media_type: &'static str,
    plain: &'static [u8],
    gzip: Bytes,
    tag: HeaderValue,
}

/// Says why a file cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// Browsers would not know what it is.
    #[error("{path}: its media type is not known")]
    MediaType {
        /// The file.
        path: String,
    },
    /// It could not be compressed.
    #[error("{path}: {source}")]
    Compression {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl Site {
    /// Takes files by their paths, such as `index.html` and `assets/app-1F2E.js`.
    ///
    /// # Errors
    ///
    /// [`SiteError`], which names the file.
    pub fn new(files: impl IntoIterator<Item = (String, &'static [u8])>) -> Result<Site, SiteError> {
        let files = files.into_iter().map(|(path, bytes)| Ok((path.clone(), File::new(path, bytes)?)));
        Ok(Site(Arc::new(files.collect::<Result<_, SiteError>>()?)))
    }

    fn answer(&self, path: &str, caching: &'static str, request: &HeaderMap) -> Result<Response, Failure> {
        let file = self.0.get(path).ok_or_else(|| Failure::from_status(StatusCode::NOT_FOUND))?;
        let mut headers = headers(caching);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type));
        headers.insert(ETAG, file.tag.clone());
        if names(request, &IF_NONE_MATCH, file.tag.to_str().expect("a tag is hexadecimal")) {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        if !names(request, &ACCEPT_ENCODING, "gzip") {
            return Ok((headers, file.plain).into_response());
        }
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        Ok((headers, file.gzip.clone()).into_response())
    }
}

impl File {
    fn new(path: String, plain: &'static [u8]) -> Result<File, SiteError> {
        let media_type = media_type(&path).ok_or_else(|| SiteError::MediaType { path: path.clone() })?;
        let gzip = gzip(plain).map_err(|source| SiteError::Compression { path, source })?;
        // Weak: the same tag stands for both encodings (RFC 9110, section 8.8.1).
        let tag = format!("W/\"{}\"", hex(&Sha256::digest(plain)[..16]));
        Ok(File {
            media_type,
            plain,
            gzip: gzip.into(),
            tag: HeaderValue::try_from(tag).expect("hexadecimal digits are text"),
        })
    }
}

/// Answers `GET /`: the console.
pub(crate) async fn page(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Failure> {
    api.site.answer("index.html", ASK_EACH_TIME, &headers)
}

/// Answers `GET /assets/{file}`.
pub(crate) async fn asset(
    State(api): State<Api>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    api.site.answer(&format!("assets/{file}"), FOR_EVER, &headers)
}

fn headers(caching: &'static str) -> HeaderMap {
    let fixed = [
        (CACHE_CONTROL, caching),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (VARY, "accept-encoding"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    fixed.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

/// Tells whether a list in a header has this entry; of an encoding also whether it is wanted at all.
fn names(headers: &HeaderMap, header: &HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(header).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|entry| {
        let (name, weight) = entry.split_once(';').unwrap_or((entry, ""));
        name.trim().eq_ignore_ascii_case(wanted) && weight.trim() != "q=0"
    })
}

fn media_type(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "html" => Some("text/html; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site::new([("index.html".to_owned(), &b"<!doctype html>"[..])]).expect("a site")
    }

    fn asked_with(header: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header, HeaderValue::from_static(value))])
    }

    fn answer(request: &HeaderMap) -> Response {
        site().answer("index.html", ASK_EACH_TIME, request).expect("the page")
    }

    #[test]
    fn a_file_is_compressed_for_who_takes_it() {
        assert_eq!(answer(&asked_with(ACCEPT_ENCODING, "br, gzip;q=0.5")).headers()[CONTENT_ENCODING], "gzip");
        for value in ["", "br", "gzip;q=0"] {
            assert!(!answer(&asked_with(ACCEPT_ENCODING, value)).headers().contains_key(CONTENT_ENCODING), "{value}");
        }
    }

    #[test]
    fn who_has_a_file_is_told_so() {
        let tag = answer(&HeaderMap::new()).headers()[ETAG].clone();
        let again = answer(&HeaderMap::from_iter([(IF_NONE_MATCH, tag)]));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer(&asked_with(IF_NONE_MATCH, "W/\"another\"")).status(), StatusCode::OK);
    }

    #[test]
    fn what_browsers_would_not_know_is_refused() {
        let error = Site::new([("a.xyz".to_owned(), &b""[..])]).expect_err("it is refused");
        assert!(error.to_string().starts_with("a.xyz"), "{error}");
        assert!(site().answer("other.html", ASK_EACH_TIME, &HeaderMap::new()).is_err());
    }
}
