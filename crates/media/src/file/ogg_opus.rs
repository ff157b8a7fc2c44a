//! Ogg Opus (RFC 7845), at 48 kHz whatever its maker recorded at: Opus knows no other rate inside.

use super::{Collector, Container, DecodedFile, Description, FileCodec, FileError, Limits};
use crate::codec::Codec;
use opus_pure::{MAX_PACKET_SAMPLES, OggOpusReader, OggPacket, Trim};
use std::io::Cursor;

const CONTAINER: Container = Container::OggOpus;

pub(super) fn decode(bytes: &[u8], limits: Limits) -> Result<DecodedFile, FileError> {
    let damaged = |detail| FileError::Damaged { container: CONTAINER, detail };
    let rate_hz = Codec::Opus.sample_rate();
    let mut reader = OggOpusReader::new(Cursor::new(bytes)).map_err(|_| damaged("its header is not valid"))?;
    let channels = u16::from(reader.head().channel_count);
    let mut collector = Collector::new(CONTAINER, rate_hz, channels, limits)?;
    let mut decoder = reader.head().decoder(rate_hz as i32).map_err(|_| FileError::Codec { container: CONTAINER })?;
    let mut trim = Trim::new(reader.head(), rate_hz as i32, usize::from(channels))
        .map_err(|_| damaged("its header is not valid"))?;
    let mut block = vec![0.0; MAX_PACKET_SAMPLES * usize::from(channels)];
    let mut packet = OggPacket::new(Vec::new(), 0, false);
    while reader.read_packet_into(&mut packet).map_err(|_| FileError::Truncated { container: CONTAINER })? {
        let samples = decoder
            .decode(&packet.data, MAX_PACKET_SAMPLES, &mut block)
            .map_err(|_| damaged("a packet is not valid Opus"))?;
        collector.push(trim.keep(&packet, &block[..samples * usize::from(channels)]))?;
    }
    collector.finish(Description {
        container: CONTAINER,
        codec: FileCodec::Opus,
        channels,
        bits_per_sample: None,
        rate_hz,
    })
}
