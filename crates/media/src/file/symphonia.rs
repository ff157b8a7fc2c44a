//! WAV, MP3, FLAC and Ogg Vorbis, by the symphonia library.

use super::{Collector, Container, DecodedFile, Description, FileCodec, FileError, Limits};
use std::io::{Cursor, ErrorKind};
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_PCM_ALAW, CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F64LE, CODEC_ID_PCM_MULAW,
};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;

/// How many packets that make no sense may be skipped before the file counts as damaged. Players skip a few in any MP3
/// that was cut; a file that is not what it seems has only such.
const BAD_PACKETS_MAX: usize = 16;

pub(super) fn decode(bytes: &[u8], container: Container, limits: Limits) -> Result<DecodedFile, FileError> {
    let mut format = open(bytes, container)?;
    let track = format.default_track(TrackType::Audio).ok_or(FileError::NoSound { container })?;
    let (id, frames) = (track.id, track.num_frames);
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or(FileError::Codec { container })?.clone();
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
        .map_err(|error| name(error, container))?;
    let description = describe(container, &parameters)?;
    let mut collector = Collector::new(container, description.rate_hz, description.channels, limits)?;
    if frames.is_some_and(|frames| frames > collector.samples_max as u64 && container != Container::Wav) {
        return Err(FileError::TooLong { max_duration: limits.max_duration });
    }
    decode_packets(&mut *format, &mut *decoder, id, container, &mut collector)?;
    collector.finish(description)
}

fn open(bytes: &[u8], container: Container) -> Result<Box<dyn FormatReader + '_>, FileError> {
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    symphonia::default::get_probe().probe(&Hint::new(), source, Default::default(), Default::default()).map_err(
        |error| match error {
            // The bytes began like it, so the library knows the format; it found nothing that goes on like it.
            Error::Unsupported(_) => FileError::NoSound { container },
            error => name(error, container),
        },
    )
}

fn describe(container: Container, parameters: &AudioCodecParameters) -> Result<Description, FileError> {
    let channels = parameters.channels.as_ref().map_or(0, |channels| channels.count() as u16);
    Ok(Description {
        container,
        codec: file_codec(container, parameters),
        channels,
        bits_per_sample: match container {
            Container::Wav => parameters.bits_per_coded_sample.or(parameters.bits_per_sample),
            Container::Flac => parameters.bits_per_sample,
            Container::Mp3 | Container::OggVorbis | Container::OggOpus => None,
        },
        rate_hz: parameters.sample_rate.ok_or(FileError::Damaged { container, detail: "it has no rate" })?,
    })
}

fn file_codec(container: Container, parameters: &AudioCodecParameters) -> FileCodec {
    match container {
        Container::Mp3 => FileCodec::Mp3,
        Container::Flac => FileCodec::Flac,
        Container::OggVorbis => FileCodec::Vorbis,
        Container::OggOpus => FileCodec::Opus,
        Container::Wav if parameters.codec == CODEC_ID_PCM_ALAW => FileCodec::Pcma,
        Container::Wav if parameters.codec == CODEC_ID_PCM_MULAW => FileCodec::Pcmu,
        Container::Wav if [CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F64LE].contains(&parameters.codec) => FileCodec::Float,
        Container::Wav => FileCodec::Pcm,
    }
}

fn decode_packets(
    format: &mut dyn FormatReader,
    decoder: &mut dyn AudioDecoder,
    track_id: u32,
    container: Container,
    collector: &mut Collector,
) -> Result<(), FileError> {
    let mut bad = 0;
    let mut interleaved: Vec<f32> = Vec::new();
    while let Some(packet) = format.next_packet().map_err(|error| name(error, container))? {
        if packet.track_id != track_id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(sound) if sound.spec().channels().count() as u16 != collector.channels => {
                return Err(FileError::Damaged { container, detail: "the number of its channels changes" });
            }
            Ok(sound) => {
                sound.copy_to_vec_interleaved(&mut interleaved);
                collector.push(&interleaved)?;
            }
            Err(Error::DecodeError(_)) if bad < BAD_PACKETS_MAX => bad += 1,
            Err(error) => return Err(name(error, container)),
        }
    }
    Ok(())
}

fn name(error: Error, container: Container) -> FileError {
    match error {
        Error::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => FileError::Truncated { container },
        Error::DecodeError(detail) | Error::LimitError(detail) => FileError::Damaged { container, detail },
        Error::Unsupported(_) => FileError::Codec { container },
        Error::IoError(_) | Error::SeekError(_) | Error::ResetRequired => {
            FileError::Damaged { container, detail: "it cannot be read in one go" }
        }
        _ => FileError::Damaged { container, detail: "it cannot be decoded" },
    }
}
