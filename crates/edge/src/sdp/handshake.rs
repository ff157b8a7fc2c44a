//! What descriptions say of a DTLS handshake: `a=setup` (RFC 4145 §4), `a=fingerprint` (RFC 8122 §5) and `a=tls-id`
//! (RFC 8842 §4).

use super::parse::{Description, Media};
use crate::dtls::{Fingerprint, Role, Terms};

/// Who begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setup {
    /// The side that says this.
    Active,
    /// The other side.
    Passive,
    /// Whoever answers may choose.
    ActPass,
}

impl Setup {
    /// Reads the value of `a=setup`. `holdconn` wants no connection for now, which no call does.
    pub(super) fn named(name: &str) -> Option<Setup> {
        [Setup::Active, Setup::Passive, Setup::ActPass]
            .into_iter()
            .find(|setup| setup.name().eq_ignore_ascii_case(name.trim()))
    }

    fn name(self) -> &'static str {
        match self {
            Setup::Active => "active",
            Setup::Passive => "passive",
            Setup::ActPass => "actpass",
        }
    }

    fn of(role: Role) -> Setup {
        match role {
            Role::Client => Setup::Active,
            Role::Server => Setup::Passive,
        }
    }
}

/// What a description of ours says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HandshakeLines {
    pub(super) setup: Setup,
    pub(super) fingerprint: Fingerprint,
    pub(super) tls_id: Option<String>,
}

impl HandshakeLines {
    pub(super) fn of(terms: &Terms, tls_id: Option<String>) -> HandshakeLines {
        let fingerprint = terms.certificate.fingerprint().clone();
        HandshakeLines { setup: Setup::of(terms.role), fingerprint, tls_id }
    }

    /// Whether a description of ours offers a handshake, or has agreed to one.
    pub(super) fn are_in(sent: &str) -> bool {
        sent.lines().any(|line| line.starts_with("a=fingerprint:"))
    }

    /// Returns the `a=tls-id` of a description of ours.
    pub(super) fn tls_id_in(sent: &str) -> Option<String> {
        sent.lines().find_map(|line| line.strip_prefix("a=tls-id:")).map(str::to_owned)
    }

    pub(super) fn print(&self, text: &mut String) {
        let HandshakeLines { setup, fingerprint, tls_id } = self;
        text.push_str(&format!("a=setup:{}\r\na=fingerprint:{fingerprint}\r\n", setup.name()));
        if let Some(tls_id) = tls_id {
            text.push_str(&format!("a=tls-id:{tls_id}\r\n"));
        }
    }
}

/// What a peer's description says of one stream. What is not said of the stream is said of the session.
pub(super) struct Told<'a> {
    /// Who begins; `None` for what cannot be.
    pub(super) setup: Option<Setup>,
    pub(super) fingerprints: &'a [Fingerprint],
    pub(super) tls_id: Option<&'a str>,
}

impl<'a> Told<'a> {
    /// Reads an offer. Who says nothing begins (RFC 4145 §4).
    pub(super) fn in_offer(description: &'a Description<'_>, media: &'a Media<'_>) -> Told<'a> {
        Told::read(description, media, Setup::Active)
    }

    /// Reads an answer. Who says nothing waits (RFC 4145 §4).
    pub(super) fn in_answer(description: &'a Description<'_>, media: &'a Media<'_>) -> Told<'a> {
        Told::read(description, media, Setup::Passive)
    }

    fn read(description: &'a Description<'_>, media: &'a Media<'_>, unsaid: Setup) -> Told<'a> {
        let (session, stream) = (&description.attributes, &media.attributes);
        let fingerprints = match stream.fingerprints.is_empty() {
            true => &session.fingerprints,
            false => &stream.fingerprints,
        };
        let setup = stream.setup.or(session.setup);
        Told { setup: setup.map_or(Some(unsaid), Setup::named), fingerprints, tls_id: stream.tls_id.or(session.tls_id) }
    }

    pub(super) fn has_fingerprints(&self) -> bool {
        !self.fingerprints.is_empty()
    }
}
