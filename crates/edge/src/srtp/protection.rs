//! Both directions of one leg: which key and which index a packet has.

use super::master_key::MasterKey;
use super::stream::Streams;
use super::transform::Transform;
use super::{SrtpError, Suite};

/// RTP's header without contributing sources and extension (RFC 3550 §5.1).
const RTP_HEADER_BYTES: usize = 12;

/// RTCP's header and SSRC (RFC 3550 §6.4).
const RTCP_HEADER_BYTES: usize = 8;

/// The largest index of SRTCP (RFC 3711 §3.2.1).
const RTCP_INDEX_MAX: u32 = (1 << 31) - 1;

/// The keys of both directions, as they were told in offer and answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// What we encrypt with.
    pub ours: MasterKey,
    /// What the peer encrypts with.
    pub theirs: MasterKey,
}

/// The encryption of one leg. Never goes on with a used index: a key that stays keeps its count.
pub struct Protection {
    keys: Keys,
    outbound: Outbound,
    inbound: Inbound,
    /// The peer's key before this one, until the first packet of this one: packets cross the change.
    previous: Option<Inbound>,
}

struct Outbound {
    transform: Transform,
    streams: Streams,
    rtcp_index: u32,
}

struct Inbound {
    transform: Transform,
    rtp: Streams,
    rtcp: Streams,
}

/// What has to be known of a packet before it is decrypted.
enum Header {
    Rtp { bytes: usize, ssrc: u32, sequence: u16 },
    Rtcp { ssrc: u32 },
}

impl Protection {
    /// Begins with these keys.
    pub fn new(keys: &Keys) -> Protection {
        Protection {
            outbound: Outbound::new(&keys.ours),
            inbound: Inbound::new(&keys.theirs),
            previous: None,
            keys: keys.clone(),
        }
    }

    /// Goes on with these keys. A direction whose key is the same goes on as it was (RFC 4568 §7.1.4).
    pub fn rekey(&mut self, keys: &Keys) {
        if keys.ours != self.keys.ours {
            self.outbound = Outbound::new(&keys.ours);
        }
        if keys.theirs != self.keys.theirs {
            self.previous = Some(std::mem::replace(&mut self.inbound, Inbound::new(&keys.theirs)));
        }
        self.keys = keys.clone();
    }

    /// Returns what our packets are encrypted with.
    pub fn suite(&self) -> Suite {
        self.keys.ours.suite()
    }

    /// Encrypts an RTP or RTCP packet into `out`, which is emptied first and allocates only when it grows.
    ///
    /// # Errors
    ///
    /// [`SrtpError::TooShort`] for what is no RTP, [`SrtpError::Exhausted`] when nothing more may be sent.
    pub fn protect(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), SrtpError> {
        copy(packet, out);
        match Header::read(packet)? {
            Header::Rtp { bytes, ssrc, sequence } => self.outbound.protect_rtp(out, bytes, ssrc, sequence),
            Header::Rtcp { ssrc } => self.outbound.protect_rtcp(out, ssrc),
        }
    }

    /// Checks and decrypts an RTP or RTCP packet into `out`, which is emptied first.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with it; then nothing was remembered of it, and what is in `out` is of no use.
    pub fn unprotect(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), SrtpError> {
        let header = Header::read(packet)?;
        let unprotected = self.inbound.unprotect(&header, self.previous.as_ref(), packet, out);
        match (unprotected, &mut self.previous) {
            (Ok(()), _) => {
                self.previous = None;
                Ok(())
            }
            (Err(SrtpError::NotAuthentic), Some(previous)) => previous.unprotect(&header, None, packet, out),
            (Err(error), _) => Err(error),
        }
    }
}

impl std::fmt::Debug for Protection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Protection").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl Header {
    /// RTP and RTCP are told apart as RFC 5761 §4 does, whether they share a port or not.
    fn read(packet: &[u8]) -> Result<Header, SrtpError> {
        match packet.get(1) {
            Some(192..=223) => {
                let ssrc = read_u32(packet, RTCP_HEADER_BYTES - 4).ok_or(SrtpError::TooShort)?;
                Ok(Header::Rtcp { ssrc })
            }
            Some(_) | None => Header::read_rtp(packet).ok_or(SrtpError::TooShort),
        }
    }

    fn read_rtp(packet: &[u8]) -> Option<Header> {
        let [first, _, high, low] = *packet.first_chunk()?;
        let mut bytes = RTP_HEADER_BYTES + 4 * usize::from(first & 0x0F);
        let has_extension = first & 0x10 != 0;
        if has_extension {
            let words = read_u32(packet, bytes)? & 0xFFFF;
            bytes += 4 + 4 * words as usize;
        }
        let ssrc = read_u32(packet, 8)?;
        (packet.len() >= bytes).then_some(Header::Rtp { bytes, ssrc, sequence: u16::from_be_bytes([high, low]) })
    }
}

impl Outbound {
    fn new(key: &MasterKey) -> Outbound {
        Outbound { transform: Transform::new(key), streams: Streams::default(), rtcp_index: 0 }
    }

    fn protect_rtp(
        &mut self,
        packet: &mut Vec<u8>,
        header_bytes: usize,
        ssrc: u32,
        sequence: u16,
    ) -> Result<(), SrtpError> {
        let index = match self.streams.of(ssrc) {
            Some(stream) => stream.index_of(sequence).ok_or(SrtpError::Replayed)?,
            // A forgotten stream that came back would repeat its keystream.
            None if self.streams.is_full() => return Err(SrtpError::Exhausted),
            None => sequence.into(),
        };
        self.streams.accept(ssrc, index);
        self.transform.protect_rtp(packet, header_bytes, ssrc, index);
        Ok(())
    }

    fn protect_rtcp(&mut self, packet: &mut Vec<u8>, ssrc: u32) -> Result<(), SrtpError> {
        if self.rtcp_index == RTCP_INDEX_MAX {
            return Err(SrtpError::Exhausted);
        }
        self.rtcp_index += 1;
        self.transform.protect_rtcp(packet, ssrc, self.rtcp_index);
        Ok(())
    }
}

impl Inbound {
    fn new(key: &MasterKey) -> Inbound {
        Inbound { transform: Transform::new(key), rtp: Streams::default(), rtcp: Streams::default() }
    }

    fn unprotect(
        &mut self,
        header: &Header,
        previous: Option<&Inbound>,
        packet: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SrtpError> {
        match *header {
            Header::Rtp { bytes, ssrc, sequence } => match self.rtp.of(ssrc) {
                Some(stream) => {
                    let index = stream.index_of(sequence).ok_or(SrtpError::Replayed)?;
                    stream.check(index)?;
                    self.unprotect_rtp(packet, bytes, ssrc, index, out)
                }
                None => self.unprotect_first(packet, bytes, ssrc, sequence, previous, out),
            },
            Header::Rtcp { ssrc } => self.unprotect_rtcp(packet, ssrc, out),
        }
    }

    /// The first packet of a stream: nobody told us its index. After a change of keys the count goes on (RFC 3711
    /// §3.3.1) or begins anew (RFC 4568 §7.1.4), as the phone likes; and a count that began shortly before 65536 may have
    /// gone round while we did not have the key yet.
    fn unprotect_first(
        &mut self,
        packet: &[u8],
        header_bytes: usize,
        ssrc: u32,
        sequence: u16,
        previous: Option<&Inbound>,
        out: &mut Vec<u8>,
    ) -> Result<(), SrtpError> {
        let first_round = u64::from(sequence);
        let second_round = (sequence < 0x8000).then_some(first_round + 0x1_0000);
        let going_on = previous.and_then(|previous| previous.rtp.of(ssrc)?.index_of(sequence));
        for index in
            [Some(first_round), going_on.filter(|index| *index > first_round), second_round].into_iter().flatten()
        {
            match self.unprotect_rtp(packet, header_bytes, ssrc, index, out) {
                Err(SrtpError::NotAuthentic) => {}
                decided => return decided,
            }
        }
        Err(SrtpError::NotAuthentic)
    }

    fn unprotect_rtp(
        &mut self,
        packet: &[u8],
        header_bytes: usize,
        ssrc: u32,
        index: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), SrtpError> {
        copy(packet, out);
        self.transform.unprotect_rtp(out, header_bytes, ssrc, index)?;
        self.rtp.accept(ssrc, index);
        Ok(())
    }

    fn unprotect_rtcp(&mut self, packet: &[u8], ssrc: u32, out: &mut Vec<u8>) -> Result<(), SrtpError> {
        let index = self.transform.rtcp_index(packet)?;
        if let Some(stream) = self.rtcp.of(ssrc) {
            stream.check(index.into())?;
        }
        copy(packet, out);
        self.transform.unprotect_rtcp(out, ssrc, index)?;
        self.rtcp.accept(ssrc, index.into());
        Ok(())
    }
}

fn copy(packet: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(packet);
}

fn read_u32(packet: &[u8], at: usize) -> Option<u32> {
    packet.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}
