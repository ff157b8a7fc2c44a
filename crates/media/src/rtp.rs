//! RTP packets (RFC 3550 section 5): parsing what comes in, writing what goes out.

/// The fixed header's length in bytes.
pub const HEADER_BYTES: usize = 12;

/// The RTP version this speaks; the only one in use.
const VERSION: u8 = 2;

/// One RTP packet, parsed in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Set on the first packet after a silence (RFC 3551 section 4.1).
    pub marker: bool,
    /// What the payload is, as SDP mapped it; 0 to 127.
    pub payload_type: u8,
    /// Grows by one with every packet.
    pub sequence: u16,
    /// The time of the payload's first sample, in units of the codec's clock rate.
    pub timestamp: u32,
    /// The synchronisation source: which stream this belongs to.
    pub ssrc: u32,
    /// The payload without padding.
    pub payload: &'a [u8],
}

/// Bytes that are not an RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RtpError {
    /// Shorter than its header, CSRC list or header extension says.
    #[error("RTP packet of {bytes} bytes is truncated")]
    Truncated {
        /// How long the packet is.
        bytes: usize,
    },
    /// Another version than 2: not RTP (RFC 7983 tells what it may be).
    #[error("RTP version is {version}, not 2")]
    Version {
        /// What the version field says.
        version: u8,
    },
    /// The padding is empty or longer than the payload.
    #[error("RTP padding of {padding} bytes is impossible")]
    Padding {
        /// What the padding's last byte says.
        padding: u8,
    },
    /// An RTCP packet on the same port (RFC 5761 section 4): to be given to the RTCP parser.
    #[error("RTCP packet type {packet_type} where RTP was expected")]
    Rtcp {
        /// The RTCP packet type, 192 to 223.
        packet_type: u8,
    },
    /// The leg the packet was given for is not in this mixer.
    #[error("no such leg")]
    UnknownLeg,
}

impl<'a> Packet<'a> {
    /// Parses one datagram.
    ///
    /// # Errors
    ///
    /// Any [`RtpError`] but [`RtpError::UnknownLeg`].
    pub fn parse(bytes: &'a [u8]) -> Result<Packet<'a>, RtpError> {
        let truncated = RtpError::Truncated { bytes: bytes.len() };
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(truncated)?;
        check_kind(header)?;
        let csrc_bytes = usize::from(header[0] & 0x0F) * 4;
        let rest = rest.get(csrc_bytes..).ok_or(truncated)?;
        let rest = if header[0] & 0x10 != 0 { skip_extension(rest).ok_or(truncated)? } else { rest };
        let payload = if header[0] & 0x20 != 0 { strip_padding(rest)? } else { rest };
        Ok(Packet {
            marker: header[1] & 0x80 != 0,
            payload_type: header[1] & 0x7F,
            sequence: u16::from_be_bytes([header[2], header[3]]),
            timestamp: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
            ssrc: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
            payload,
        })
    }

    /// Appends the packet to `out`: no CSRC, no extension, no padding.
    pub fn write(&self, out: &mut Vec<u8>) {
        debug_assert!(self.payload_type < 128, "a payload type has 7 bits");
        out.extend([VERSION << 6, (u8::from(self.marker) << 7) | self.payload_type]);
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.timestamp.to_be_bytes());
        out.extend(self.ssrc.to_be_bytes());
        out.extend(self.payload);
    }
}

fn check_kind(header: &[u8; HEADER_BYTES]) -> Result<(), RtpError> {
    let version = header[0] >> 6;
    if version != VERSION {
        return Err(RtpError::Version { version });
    }
    // RFC 5761 section 4: these values of the second byte are RTCP's.
    if (192..=223).contains(&header[1]) {
        return Err(RtpError::Rtcp { packet_type: header[1] });
    }
    Ok(())
}

fn skip_extension(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
    rest.get(words * 4..)
}

fn strip_padding(bytes: &[u8]) -> Result<&[u8], RtpError> {
    let padding = bytes.last().copied().unwrap_or(0);
    match bytes.len().checked_sub(usize::from(padding)) {
        Some(length) if padding > 0 => Ok(&bytes[..length]),
        _ => Err(RtpError::Padding { padding }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Packet<'static> = Packet {
        marker: true,
        payload_type: 8,
        sequence: 65_535,
        timestamp: 0x0102_0304,
        ssrc: 0xA1B2_C3D4,
        payload: &[1, 2, 3],
    };

    #[test]
    fn what_is_written_parses_back() {
        let mut bytes = Vec::new();
        PLAIN.write(&mut bytes);
        assert_eq!(bytes.len(), HEADER_BYTES + 3);
        assert_eq!(Packet::parse(&bytes), Ok(PLAIN));
    }

    #[test]
    fn csrc_extension_and_padding_are_skipped() {
        let mut bytes = vec![0x80 | 0x20 | 0x10 | 1, 0x88, 0xFF, 0xFF, 1, 2, 3, 4, 0xA1, 0xB2, 0xC3, 0xD4];
        bytes.extend([9; 4]); // one CSRC
        bytes.extend([0xBE, 0xDE, 0, 1, 7, 7, 7, 7]); // an extension of one word
        bytes.extend([1, 2, 3, 0, 2]); // payload, two bytes of padding
        assert_eq!(Packet::parse(&bytes), Ok(PLAIN));
    }

    #[test]
    fn bad_packets_are_named() {
        let parse = |first: u8, second: u8, tail: &[u8]| {
            let mut bytes = vec![first, second, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            bytes.extend(tail);
            Packet::parse(&bytes).map(|_| ())
        };
        assert_eq!(Packet::parse(&[0x80; 11]), Err(RtpError::Truncated { bytes: 11 }));
        assert_eq!(parse(0x81, 0, &[0; 3]), Err(RtpError::Truncated { bytes: 15 }));
        assert_eq!(parse(0x90, 0, &[0, 0, 0, 2, 0]), Err(RtpError::Truncated { bytes: 17 }));
        assert_eq!(parse(0x00, 0, &[]), Err(RtpError::Version { version: 0 }));
        assert_eq!(parse(0x80, 200, &[]), Err(RtpError::Rtcp { packet_type: 200 }));
        assert_eq!(parse(0xA0, 0, &[]), Err(RtpError::Padding { padding: 0 }));
        assert_eq!(parse(0xA0, 0, &[0, 9]), Err(RtpError::Padding { padding: 9 }));
        assert_eq!(parse(0xA0, 0, &[0, 0]), Err(RtpError::Padding { padding: 0 }));
    }
}
