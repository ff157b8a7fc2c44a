//! What browsers are told, and what is read from their offers (RFC 8829, RFC 9725 §4).

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{Codec, Format};
use str0m::change::SdpOffer;
use str0m::config::DtlsCert;
use str0m::crypto::{CryptoProvider, from_feature_flags};
use str0m::format::{Codec as Str0mCodec, FormatParams};
use str0m::media::{Direction as Str0mDirection, Frequency, Media, MediaKind, Mid};
use str0m::net::TcpType;
use str0m::{Candidate, Rtc, RtcConfig, RtcError};

use crate::dtls::Certificate;
use crate::sdp::{Agreement, Direction, Role, Said, agree};

/// The longest offer that is read, in bytes. Chromium's for one stream of sound has 2 to 3 KB; with every codec of video
/// it has 7.
const OFFER_BYTES_MAX: usize = 64 * 1024;

/// The payload type that we would give to telephone events; the browser's own is used (RFC 3264 §6.1).
const TELEPHONE_EVENT: u8 = 126;

/// How often we hear what the browser has lost: as often as it reports (RFC 3550 §6.2).
const STATISTICS_INTERVAL: Duration = Duration::from_secs(5);

/// What all browsers of a server share.
#[derive(Clone)]
pub struct Settings {
    address: SocketAddr,
    takes_tcp: bool,
    certificate: Certificate,
    crypto: Arc<CryptoProvider>,
}

/// Prints without the key.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Why an offer is not taken.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// It is longer than any browser's.
    #[error("the offer has {bytes} bytes, more than {OFFER_BYTES_MAX}")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It is no description, or not one of a session that can be had: without ICE or a fingerprint, for example.
    #[error("the offer cannot be used: {0}")]
    Unusable(RtcError),
    /// It has no stream of sound.
    #[error("the offer has no audio stream (m=audio)")]
    NoAudio,
    /// Its stream of sound has no codec that we speak.
    #[error("the audio stream of the offer has no Opus (a=rtpmap … opus/48000/2)")]
    NoOpus,
}

impl Settings {
    /// Says where a server is reached by browsers, over TCP too if it `takes_tcp`, and by which certificate they know it.
    pub fn new(address: SocketAddr, takes_tcp: bool, certificate: Certificate) -> Settings {
        Settings { address, takes_tcp, certificate, crypto: Arc::new(from_feature_flags()) }
    }

    /// Returns the address that browsers are told.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn rtc(&self, now: Instant) -> Rtc {
        let (certificate, private_key) = (self.certificate.der().to_vec(), self.certificate.private_key().to_vec());
        let certificate = DtlsCert { certificate, private_key };
        let mut config = RtcConfig::new()
            .set_crypto_provider(Arc::clone(&self.crypto))
            .set_dtls_cert(certificate)
            .set_rtp_mode(true)
            .set_stats_interval(Some(STATISTICS_INTERVAL))
            .clear_codecs()
            .enable_opus(true, false);
        // The clock of Opus: sound and keys share timestamps (RFC 4733 §2.1).
        config.codec_config().add_config(
            TELEPHONE_EVENT.into(),
            None,
            Str0mCodec::Tele,
            Frequency::FORTY_EIGHT_KHZ,
            None,
            FormatParams::default(),
        );
        let mut rtc = config.build(now);
        for candidate in self.candidates() {
            rtc.add_local_candidate(candidate);
        }
        rtc
    }

    fn candidates(&self) -> impl Iterator<Item = Candidate> {
        let tcp = Candidate::builder().tcp().host(self.address).tcptype(TcpType::Passive).build();
        let udp = Candidate::builder().udp().host(self.address).build();
        [Some(udp), self.takes_tcp.then_some(tcp)]
            .into_iter()
            .flatten()
            .map(|candidate| candidate.expect("an address with a port is a candidate"))
    }
}

/// What a browser's offer and our answer agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// Opus, and the payload types that mean it and its keys.
    pub format: Format,
    /// Whether the browser may send.
    pub remote_sends: bool,
    /// Whether the browser has stopped listening: it holds us.
    pub remote_hold: bool,
}

/// Reads an offer's text.
pub(super) fn read(offer: &str) -> Result<SdpOffer, OfferError> {
    match offer.len() {
        bytes if bytes > OFFER_BYTES_MAX => Err(OfferError::TooLong { bytes }),
        _ => SdpOffer::from_sdp_string(offer).map_err(|error| OfferError::Unusable(RtcError::Sdp(error))),
    }
}

/// Returns the first stream of sound of an offer that was accepted.
pub(super) fn audio_of(offer: &str, rtc: &Rtc) -> Result<Mid, OfferError> {
    let mut streams = offer.lines().filter_map(|line| line.strip_prefix("a=mid:")).map(|mid| Mid::from(mid.trim_end()));
    let audio = streams.find(|mid| rtc.media(*mid).is_some_and(|media| media.kind() == MediaKind::Audio));
    audio.ok_or(OfferError::NoAudio)
}

/// Returns what was agreed on for the stream of sound.
pub(super) fn agreed(rtc: &Rtc, audio: Mid) -> Result<Agreed, OfferError> {
    let media = rtc.media(audio).ok_or(OfferError::NoAudio)?;
    let number_of = |codec: Str0mCodec| {
        let mut params = rtc.codec_config().params().iter();
        let found = params.find(|params| params.spec().codec == codec && media.remote_pts().contains(&params.pt()));
        found.map(|params| *params.pt())
    };
    let opus = number_of(Str0mCodec::Opus).ok_or(OfferError::NoOpus)?;
    let telephone_event = number_of(Str0mCodec::Tele);
    let format = Format { telephone_event, ..Format::new(Codec::Opus, opus) };
    let Agreement { remote_sends, remote_hold, .. } = agree(Role::Answerer, Direction::SendRecv, said(media));
    Ok(Agreed { format, remote_sends, remote_hold })
}

/// What the browser has said of the direction. The direction of our answer mirrors it, as we always wish both.
fn said(media: &Media) -> Said {
    let direction = match media.direction() {
        Str0mDirection::SendRecv => Direction::SendRecv,
        Str0mDirection::SendOnly => Direction::RecvOnly,
        Str0mDirection::RecvOnly => Direction::SendOnly,
        Str0mDirection::Inactive => Direction::Inactive,
    };
    Said { stream: Some(direction), is_port_zero: media.disabled() || media.stopped(), ..Said::default() }
}
