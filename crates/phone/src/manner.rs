//! How a phone says it when its sound is to change in mid-call. Phones differ in this more than in anything else.

/// A way to renegotiate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Manner {
    /// Where the offer is made.
    pub offers: Offers,
    /// Where the direction stands.
    pub level: Level,
}

/// Who offers, and in what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Offers {
    /// The phone, in a re-INVITE (RFC 3261 §14).
    #[default]
    ByReinvite,
    /// The phone, in an UPDATE (RFC 3311).
    ByUpdate,
    /// Its peer: the phone sends an INVITE without an offer and puts its answer into the ACK. Calls that it makes are of
    /// this kind too.
    Late,
}

/// Where a description tells its direction (RFC 8866 §6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Level {
    /// Below the stream.
    #[default]
    Stream,
    /// Above all streams.
    Session,
}
