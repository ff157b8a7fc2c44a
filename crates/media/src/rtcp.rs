//! RTCP packets (RFC 3550 section 6): reports about what was sent and received.
//!
//! A datagram is a compound of packets. This parses the four kinds of RFC 3550 that matter to a call, skips the others
//! after checking their length, and writes the compound we send: a report and the name of its source.

/// A wall clock time as RTCP carries it: seconds since 1900 and a binary fraction of 32 bits (RFC 3550 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// Returns the time a Unix time stands for.
    pub fn from_unix(since_1970: std::time::Duration) -> NtpTime {
        // RFC 868: 70 years, 17 of them leap years.
        const SECONDS_1900_TO_1970: u64 = 2_208_988_800;
        let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
        NtpTime(((since_1970.as_secs() + SECONDS_1900_TO_1970) << 32) | fraction)
    }

    /// Returns the middle 32 bits, in units of 1/65536 s: what reports refer to.
    pub fn compact(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// What a sender says of its own stream (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// The wall clock time of the report.
    pub ntp: NtpTime,
    /// The same time on the RTP clock.
    pub rtp_timestamp: u32,
    /// Packets sent since the stream began.
    pub packets: u32,
    /// Payload bytes sent since the stream began.
    pub payload_bytes: u32,
}

/// What a receiver says of one stream (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream reported on.
    pub ssrc: u32,
    /// Loss since the last report, as a fraction of 256.
    pub fraction_lost: u8,
    /// Packets lost since the stream began; negative if there are more duplicates than losses. 24 bits on the wire.
    pub cumulative_lost: i32,
    /// The highest sequence number seen, with the count of wraps above it.
    pub highest_sequence: u32,
    /// The inter-arrival jitter, in units of the RTP clock.
    pub jitter: u32,
    /// [`NtpTime::compact`] of the last sender report received, or 0.
    pub last_sender_report: u32,
    /// The time since then, in units of 1/65536 s.
    pub delay_since_last: u32,
}

/// One packet of a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// SR: a report by somebody who also sends.
    SenderReport {
        /// Who reports.
        ssrc: u32,
        /// On its own stream.
        info: SenderInfo,
        /// On the streams it receives.
        blocks: ReportBlocks<'a>,
    },
    /// RR: a report by somebody who only receives.
    ReceiverReport {
        /// Who reports.
        ssrc: u32,
        /// On the streams it receives.
        blocks: ReportBlocks<'a>,
    },
    /// SDES: names of sources. The names are of no use to a call and stay unparsed.
    SourceDescription,
    /// BYE: sources that have left.
    Goodbye {
        /// The first of them; `None` if the list is empty.
        ssrc: Option<u32>,
    },
    /// Any other packet type.
    Other {
        /// Its number.
        packet_type: u8,
    },
}

/// The report blocks of one report, parsed as they are iterated over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlocks<'a>(&'a [u8]);

/// Bytes that are not an RTCP compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RtcpError {
    /// A packet at `offset` is shorter than its header says.
    #[error("RTCP packet at byte {offset} is truncated")]
    Truncated {
        /// Where the packet starts.
        offset: usize,
    },
    /// Another version than 2.
    #[error("RTCP version at byte {offset} is {version}, not 2")]
    Version {
        /// Where the packet starts.
        offset: usize,
        /// What the version field says.
        version: u8,
    },
    /// The leg the packet was given for is not in this mixer.
    #[error("no such leg")]
    UnknownLeg,
}

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;

/// The SDES item that names a source across streams; the only mandatory one (RFC 3550 section 6.5.1).
const CNAME: u8 = 1;

const HEADER_BYTES: usize = 4;
const SENDER_INFO_BYTES: usize = 20;
const REPORT_BLOCK_BYTES: usize = 24;

/// Parses a compound and calls `each` for every packet in it.
///
/// # Errors
///
/// [`RtcpError::Truncated`] and [`RtcpError::Version`]; packets before the bad one have been given to `each`.
pub fn parse<'a>(bytes: &'a [u8], mut each: impl FnMut(Packet<'a>)) -> Result<(), RtcpError> {
    let mut offset = 0;
    loop {
        let truncated = RtcpError::Truncated { offset };
        let rest = &bytes[offset..];
        let header = rest.first_chunk::<HEADER_BYTES>().ok_or(truncated)?;
        let version = header[0] >> 6;
        if version != 2 {
            return Err(RtcpError::Version { offset, version });
        }
        let length = HEADER_BYTES + usize::from(u16::from_be_bytes([header[2], header[3]])) * 4;
        let body = rest.get(HEADER_BYTES..length).ok_or(truncated)?;
        each(parse_body(header[1], usize::from(header[0] & 0x1F), body).ok_or(truncated)?);
        offset += length;
        if offset == bytes.len() {
            return Ok(());
        }
    }
}

fn parse_body(packet_type: u8, count: usize, body: &[u8]) -> Option<Packet<'_>> {
    match packet_type {
        SENDER_REPORT => Some(Packet::SenderReport {
            ssrc: word(body, 0)?,
            info: parse_sender_info(body.get(4..)?)?,
            blocks: report_blocks(body.get(4 + SENDER_INFO_BYTES..)?, count)?,
        }),
        RECEIVER_REPORT => {
            Some(Packet::ReceiverReport { ssrc: word(body, 0)?, blocks: report_blocks(body.get(4..)?, count)? })
        }
        SOURCE_DESCRIPTION => Some(Packet::SourceDescription),
        GOODBYE => Some(Packet::Goodbye { ssrc: if count > 0 { Some(word(body, 0)?) } else { None } }),
        packet_type => Some(Packet::Other { packet_type }),
    }
}

fn parse_sender_info(bytes: &[u8]) -> Option<SenderInfo> {
    Some(SenderInfo {
        ntp: NtpTime((u64::from(word(bytes, 0)?) << 32) | u64::from(word(bytes, 4)?)),
        rtp_timestamp: word(bytes, 8)?,
        packets: word(bytes, 12)?,
        payload_bytes: word(bytes, 16)?,
    })
}

fn report_blocks(bytes: &[u8], count: usize) -> Option<ReportBlocks<'_>> {
    bytes.get(..count * REPORT_BLOCK_BYTES).map(ReportBlocks)
}

fn word(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..offset + 4)?.first_chunk().map(|word| u32::from_be_bytes(*word))
}

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.0.split_at_checked(REPORT_BLOCK_BYTES)?;
        self.0 = rest;
        let lost = word(block, 4)?;
        Some(ReportBlock {
            ssrc: word(block, 0)?,
            fraction_lost: (lost >> 24) as u8,
            // Moves the sign from bit 23 to bit 31 and back.
            cumulative_lost: ((lost << 8) as i32) >> 8,
            highest_sequence: word(block, 8)?,
            jitter: word(block, 12)?,
            last_sender_report: word(block, 16)?,
            delay_since_last: word(block, 20)?,
        })
    }
}

/// Appends a report and the source's CNAME: a whole compound (RFC 3550 section 6.1).
///
/// With `info` it is a sender report, without a receiver report.
///
/// # Panics
///
/// If `cname` is longer than 255 bytes.
pub fn write_report(ssrc: u32, info: Option<&SenderInfo>, block: Option<&ReportBlock>, cname: &str, out: &mut Vec<u8>) {
    let start = out.len();
    let packet_type = if info.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
    out.extend([0x80 | u8::from(block.is_some()), packet_type, 0, 0]);
    out.extend(ssrc.to_be_bytes());
    if let Some(info) = info {
        write_sender_info(info, out);
    }
    if let Some(block) = block {
        write_report_block(block, out);
    }
    close(start, out);
    write_cname(ssrc, cname, out);
}

fn write_sender_info(info: &SenderInfo, out: &mut Vec<u8>) {
    out.extend(info.ntp.0.to_be_bytes());
    out.extend(info.rtp_timestamp.to_be_bytes());
    out.extend(info.packets.to_be_bytes());
    out.extend(info.payload_bytes.to_be_bytes());
}

fn write_report_block(block: &ReportBlock, out: &mut Vec<u8>) {
    let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7F_FFFF) as u32 & 0xFF_FFFF;
    out.extend(block.ssrc.to_be_bytes());
    out.extend((u32::from(block.fraction_lost) << 24 | lost).to_be_bytes());
    out.extend(block.highest_sequence.to_be_bytes());
    out.extend(block.jitter.to_be_bytes());
    out.extend(block.last_sender_report.to_be_bytes());
    out.extend(block.delay_since_last.to_be_bytes());
}

fn write_cname(ssrc: u32, cname: &str, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend([0x81, SOURCE_DESCRIPTION, 0, 0]);
    out.extend(ssrc.to_be_bytes());
    out.extend([CNAME, u8::try_from(cname.len()).expect("a CNAME has at most 255 bytes")]);
    out.extend(cname.as_bytes());
    // The list of items ends with one zero byte or more, up to the next word.
    let end = (out.len() - start + 1).next_multiple_of(4);
    out.resize(start + end, 0);
    close(start, out);
}

/// Fills in the length of the packet that began at `start`.
fn close(start: usize, out: &mut [u8]) {
    let words = ((out.len() - start) / 4 - 1) as u16;
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}
