//! What two descriptions say of a handshake.

use super::{Certificate, Fingerprint};

/// Which part we have in a handshake (RFC 5763 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// We begin: `a=setup:active`.
    Client,
    /// We wait: `a=setup:passive`.
    Server,
}

/// What both sides have said of their association: who begins, and who is who. With other terms there is another
/// association (RFC 8842 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Who we are.
    pub certificate: Certificate,
    /// Our part.
    pub role: Role,
    /// Who the peer is: its certificate must fit, see [`are_of`](super::are_of).
    pub fingerprints: Vec<Fingerprint>,
    /// What we call the association, `a=tls-id`.
    pub tls_id: String,
    /// What the peer calls it, if it does. Another name is another association.
    pub remote_tls_id: Option<String>,
}

impl Terms {
    /// Whether a peer that says this goes on with the association that it has. Not every phone names its associations, and
    /// one that has not done so before means no other one when it does.
    pub(crate) fn go_on(&self, role: Role, fingerprints: &[Fingerprint], remote_tls_id: Option<&str>) -> bool {
        let is_renamed = self.remote_tls_id.as_deref().zip(remote_tls_id).is_some_and(|(before, now)| before != now);
        let is_known = |fingerprint| self.fingerprints.contains(fingerprint);
        let are_same = fingerprints.len() == self.fingerprints.len() && fingerprints.iter().all(is_known);
        role == self.role && are_same && !is_renamed
    }
}
