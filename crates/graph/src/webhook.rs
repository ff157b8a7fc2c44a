//! Standard Webhooks 1.0.0: signatures over the body, in addition to Microsoft's token, which says nothing of the body.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// What a secret begins with, so that it is known for one.
const PREFIX: &str = "whsec_";

/// How long a secret may be, in bytes ("Signature scheme": 192 to 512 bits).
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Is a key that an application and we share.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

/// Says why a text is no webhook secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookSecretError {
    /// It does not look like one.
    #[error("must begin with {PREFIX:?}")]
    Prefix,
    /// What follows the prefix cannot be read.
    #[error("must be base64 after {PREFIX:?}")]
    Base64,
    /// It can be guessed, or is longer than receivers take.
    #[error("must be {} to {} bytes in base64", BYTES.start(), BYTES.end())]
    Length,
}

impl FromStr for WebhookSecret {
    type Err = WebhookSecretError;

    fn from_str(text: &str) -> Result<WebhookSecret, WebhookSecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(WebhookSecretError::Prefix)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| WebhookSecretError::Base64)?;
        if !BYTES.contains(&bytes.len()) {
            return Err(WebhookSecretError::Length);
        }
        Ok(WebhookSecret(bytes))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// Makes the headers of one attempt, with a signature by each secret; none for an application without a secret.
pub(crate) fn headers(secrets: &[WebhookSecret], id: &str, timestamp_s: i64, body: &str) -> HeaderMap {
    let signatures: Vec<String> = secrets.iter().map(|secret| secret.sign(id, timestamp_s, body)).collect();
    let id = HeaderValue::from_str(id);
    let signature = HeaderValue::from_str(&signatures.join(" "));
    match (id, signature) {
        (Ok(id), Ok(signature)) if !secrets.is_empty() => {
            [(ID, id), (TIMESTAMP, timestamp_s.into()), (SIGNATURE, signature)].into_iter().collect()
        }
        _ => HeaderMap::new(),
    }
}

impl WebhookSecret {
    fn sign(&self, id: &str, timestamp_s: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp_s}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> WebhookSecret {
        text.parse().expect("a secret")
    }

    #[test]
    fn the_vector_of_the_reference_libraries_is_met() {
        // libraries/*/test: id, timestamp, payload and signature are the same in all languages.
        let secret = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_signs_so_that_one_can_be_replaced() {
        let old = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let new = secret("whsec_ZmVybWF0YS1kZXYtd2ViaG9vay1zZWNyZXQ=");
        let headers = headers(&[new.clone(), old.clone()], "id", 5, "{}");
        let expected = format!("{} {}", new.sign("id", 5, "{}"), old.sign("id", 5, "{}"));
        assert_eq!([&headers[ID], &headers[TIMESTAMP], &headers[SIGNATURE]], ["id", "5", expected.as_str()]);
    }

    #[test]
    fn without_a_secret_nothing_is_claimed() {
        assert!(headers(&[], "id", 5, "{}").is_empty());
    }

    #[test]
    fn what_is_no_secret_is_refused_and_a_secret_is_not_printed() {
        for (text, expected) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", WebhookSecretError::Prefix),
            ("whsec_%%", WebhookSecretError::Base64),
            ("whsec_c2hvcnQ=", WebhookSecretError::Length),
        ] {
            assert_eq!(text.parse::<WebhookSecret>(), Err(expected));
        }
        assert_eq!(format!("{:?}", secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")), "WebhookSecret(…)");
    }
}
