//! What a prompt may cost.

use std::time::Duration;

/// The bounds of fetching and keeping prompts. The defaults are the product's; tests make them smaller.
#[derive(Clone, Debug)]
pub struct Limits {
    /// To connect to a host, TLS included. A host that is up answers in well under a second; 5 s forgives two lost SYNs.
    pub connect: Duration,
    /// From the start of a fetch to its last byte, redirects included. Somebody is on hold in silence all this time.
    pub fetch: Duration,
    /// The size of a file. Ten minutes of CD-quality stereo are 106 MB, of mono in 16 bit at 16 kHz 19 MB.
    pub file_bytes: usize,
    /// The length of a recording. Decoded it takes 2 to 10 MB a minute.
    pub audio: Duration,
    /// How many redirects are followed, as browsers' 20, but each costs a held one a round trip.
    pub redirects: usize,
    /// The memory for decoded and encoded prompts that are kept. Least recently used goes first; what is being played
    /// stays alive as long as it is played.
    pub kept_bytes: usize,
    /// How many prompts are kept, whatever their size.
    pub kept_count: usize,
    /// How many names (`resourceId`) a call may give. Prompts beyond are kept by their URI alone.
    pub resources_per_call: usize,
    /// How many calls may have named prompts. Calls are forgotten when they end; this bounds what a late fetch for an
    /// ended call leaves behind. Oldest goes first.
    pub calls: usize,
    /// How many prompts of `preFetchMedia` are fetched when a call starts; the others when they are played.
    pub prefetch_count: usize,
    /// How many files are downloaded and decoded side by side, each with at most [`Limits::file_bytes`] in memory. Who
    /// waits longer than [`Limits::fetch`] for a turn is refused.
    pub downloads: usize,
    /// How many may be under way or waiting for their turn. More are refused.
    pub flights: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            fetch: Duration::from_secs(15),
            file_bytes: 50 * MEBIBYTE,
            audio: Duration::from_secs(10 * 60),
            redirects: 5,
            kept_bytes: 256 * MEBIBYTE,
            kept_count: 1000,
            resources_per_call: 64,
            calls: 20_000,
            prefetch_count: 32,
            downloads: 16,
            flights: 256,
        }
    }
}

const MEBIBYTE: usize = 1024 * 1024;
