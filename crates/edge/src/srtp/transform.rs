//! The arithmetic of one direction: packets of a known index are encrypted or decrypted in place.
//!
//! Which index a packet has, and whether it came before, is decided in [`stream`](super::stream).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::EncryptingKey;
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::master_key::{MasterKey, apply_keystream, counter_key};
use super::{SrtpError, Suite};

/// The labels of RFC 3711 §4.3.1 begin here for RTP, and three further on for RTCP: encryption, authentication, salt.
const RTP_LABEL: u8 = 0;
const RTCP_LABEL: u8 = 3;

/// What RTCP's index has in front when the packet is encrypted (RFC 3711 §3.4, the E flag).
const ENCRYPTED: u32 = 1 << 31;

/// RTCP's header and SSRC stay in clear (RFC 3711 §3.4).
const RTCP_CLEAR_BYTES: usize = 8;

/// The E flag and the index that follow an RTCP packet.
const RTCP_INDEX_BYTES: usize = 4;

/// The tag of RTCP with HMAC-SHA1, also where RTP's is shorter (RFC 4568 §6.2.2).
const RTCP_TAG_BYTES: usize = 10;

/// The tag of GCM (RFC 7714 §13).
const GCM_TAG_BYTES: usize = 16;

/// The keys of both protocols in one direction.
pub(super) struct Transform {
    rtp: Keys,
    rtcp: Keys,
}

struct Keys {
    cipher: Cipher,
    salt: Zeroizing<[u8; 14]>,
}

enum Cipher {
    Counter(Box<Counter>),
    Gcm(LessSafeKey),
}

/// Counter mode, and what authenticates beside it.
struct Counter {
    key: EncryptingKey,
    authentication: hmac::Key,
    tag_bytes: usize,
}

impl Transform {
    pub(super) fn new(master: &MasterKey) -> Transform {
        let rtp_tag_bytes = match master.suite() {
            Suite::AesCm128HmacSha1Tag32 | Suite::AesCm256HmacSha1Tag32 => 4,
            Suite::AesCm128HmacSha1Tag80 | Suite::AesCm256HmacSha1Tag80 => RTCP_TAG_BYTES,
            Suite::AeadAes128Gcm | Suite::AeadAes256Gcm => GCM_TAG_BYTES,
        };
        Transform {
            rtp: Keys::new(master, RTP_LABEL, rtp_tag_bytes),
            rtcp: Keys::new(master, RTCP_LABEL, RTCP_TAG_BYTES),
        }
    }

    /// Encrypts an RTP packet whose header is `header_bytes` long.
    pub(super) fn protect_rtp(&self, packet: &mut Vec<u8>, header_bytes: usize, ssrc: u32, index: u64) {
        let Keys { cipher, .. } = &self.rtp;
        let iv = self.rtp.iv(ssrc, index);
        match cipher {
            Cipher::Counter(counter) => {
                apply_keystream(&counter.key, iv, &mut packet[header_bytes..]);
                let tag = sign(&counter.authentication, packet, &rollover(index));
                packet.extend_from_slice(&tag.as_ref()[..counter.tag_bytes]);
            }
            Cipher::Gcm(key) => {
                let (header, payload) = packet.split_at_mut(header_bytes);
                let tag = key.seal_in_place_separate_tag(nonce(iv), Aad::from(&*header), payload);
                packet.extend_from_slice(tag.expect("a packet is shorter than GCM's longest text").as_ref());
            }
        }
    }

    /// Checks and decrypts an RTP packet; if it is not authentic, `packet` is of no use any more.
    pub(super) fn unprotect_rtp(
        &self,
        packet: &mut Vec<u8>,
        header_bytes: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<(), SrtpError> {
        let Keys { cipher, .. } = &self.rtp;
        let iv = self.rtp.iv(ssrc, index);
        let text_bytes = text_bytes(packet, cipher.tag_bytes(), header_bytes)?;
        match cipher {
            Cipher::Counter(counter) => {
                let (text, tag) = packet.split_at_mut(text_bytes);
                verify(&counter.authentication, text, &rollover(index), tag)?;
                apply_keystream(&counter.key, iv, &mut text[header_bytes..]);
            }
            Cipher::Gcm(key) => {
                let (header, sealed) = packet.split_at_mut(header_bytes);
                key.open_in_place(nonce(iv), Aad::from(&*header), sealed).map_err(|_| SrtpError::NotAuthentic)?;
            }
        }
        packet.truncate(text_bytes);
        Ok(())
    }

    /// Encrypts a compound RTCP packet.
    pub(super) fn protect_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, index: u32) {
        let Keys { cipher, .. } = &self.rtcp;
        let (iv, trailer) = (self.rtcp.iv(ssrc, index.into()), (ENCRYPTED | index).to_be_bytes());
        match cipher {
            Cipher::Counter(counter) => {
                apply_keystream(&counter.key, iv, &mut packet[RTCP_CLEAR_BYTES..]);
                packet.extend_from_slice(&trailer);
                let tag = sign(&counter.authentication, packet, &[]);
                packet.extend_from_slice(&tag.as_ref()[..counter.tag_bytes]);
            }
            Cipher::Gcm(key) => {
                let (header, text) = packet.split_at_mut(RTCP_CLEAR_BYTES);
                let aad = rtcp_aad(header, trailer);
                let tag = key.seal_in_place_separate_tag(nonce(iv), Aad::from(aad), text);
                packet.extend_from_slice(tag.expect("a packet is shorter than GCM's longest text").as_ref());
                packet.extend_from_slice(&trailer);
            }
        }
    }

    /// Reads the index of an RTCP packet, which is not checked yet.
    pub(super) fn rtcp_index(&self, packet: &[u8]) -> Result<u32, SrtpError> {
        let behind = match &self.rtcp.cipher {
            Cipher::Counter(counter) => counter.tag_bytes,
            Cipher::Gcm(_) => 0,
        };
        let end = text_bytes(packet, behind, RTCP_CLEAR_BYTES + RTCP_INDEX_BYTES)?;
        let trailer = packet[..end].last_chunk().ok_or(SrtpError::TooShort)?;
        let trailer = u32::from_be_bytes(*trailer);
        match trailer & ENCRYPTED {
            0 => Err(SrtpError::NotAuthentic),
            _ => Ok(trailer & !ENCRYPTED),
        }
    }

    /// Checks and decrypts a compound RTCP packet; if it is not authentic, `packet` is of no use any more.
    pub(super) fn unprotect_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, index: u32) -> Result<(), SrtpError> {
        let Keys { cipher, .. } = &self.rtcp;
        let (iv, trailer) = (self.rtcp.iv(ssrc, index.into()), (ENCRYPTED | index).to_be_bytes());
        let behind = RTCP_INDEX_BYTES + cipher.tag_bytes();
        let text_bytes = text_bytes(packet, behind, RTCP_CLEAR_BYTES)?;
        match cipher {
            Cipher::Counter(counter) => {
                let (signed, tag) = packet.split_at_mut(text_bytes + RTCP_INDEX_BYTES);
                verify(&counter.authentication, signed, &[], tag)?;
                apply_keystream(&counter.key, iv, &mut packet[RTCP_CLEAR_BYTES..text_bytes]);
            }
            Cipher::Gcm(key) => {
                let (header, sealed) = packet.split_at_mut(RTCP_CLEAR_BYTES);
                let sealed_bytes = sealed.len() - RTCP_INDEX_BYTES;
                let aad = Aad::from(rtcp_aad(header, trailer));
                key.open_in_place(nonce(iv), aad, &mut sealed[..sealed_bytes]).map_err(|_| SrtpError::NotAuthentic)?;
            }
        }
        packet.truncate(text_bytes);
        Ok(())
    }
}

impl Keys {
    fn new(master: &MasterKey, label: u8, tag_bytes: usize) -> Keys {
        let suite = master.suite();
        let mut key = Zeroizing::new(vec![0; suite.key_bytes()]);
        master.derive(label, &mut key);
        let mut salt = Zeroizing::new([0; 14]);
        master.derive(label + 2, &mut salt[..suite.salt_bytes()]);
        let cipher = match suite {
            Suite::AeadAes128Gcm => Cipher::gcm(&AES_128_GCM, &key),
            Suite::AeadAes256Gcm => Cipher::gcm(&AES_256_GCM, &key),
            Suite::AesCm128HmacSha1Tag80
            | Suite::AesCm128HmacSha1Tag32
            | Suite::AesCm256HmacSha1Tag80
            | Suite::AesCm256HmacSha1Tag32 => {
                let mut authentication = Zeroizing::new([0; 20]);
                master.derive(label + 1, &mut *authentication);
                let authentication = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &*authentication);
                Cipher::Counter(Box::new(Counter { key: counter_key(&key), authentication, tag_bytes }))
            }
        };
        Keys { cipher, salt }
    }

    /// The salt, with SSRC and index in it: at the end of GCM's 12 bytes (RFC 7714 §8.1, §9.1), and of the first 14 of
    /// counter mode (RFC 3711 §4.1.1).
    fn iv(&self, ssrc: u32, index: u64) -> [u8; 16] {
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&*self.salt);
        let at = match self.cipher {
            Cipher::Counter(_) => 4,
            Cipher::Gcm(_) => 2,
        };
        let unique = ssrc.to_be_bytes().into_iter().chain(index.to_be_bytes().into_iter().skip(2));
        iv[at..].iter_mut().zip(unique).for_each(|(byte, part)| *byte ^= part);
        iv
    }
}

impl Cipher {
    fn gcm(algorithm: &'static Algorithm, key: &[u8]) -> Cipher {
        let key = UnboundKey::new(algorithm, key).expect("session keys are as long as their cipher's");
        Cipher::Gcm(LessSafeKey::new(key))
    }

    fn tag_bytes(&self) -> usize {
        match self {
            Cipher::Counter(counter) => counter.tag_bytes,
            Cipher::Gcm(_) => GCM_TAG_BYTES,
        }
    }
}

/// The rounds of the sequence number, which RTP's tag covers too (RFC 3711 §4.2).
fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

fn nonce(iv: [u8; 16]) -> Nonce {
    let iv = iv.first_chunk().expect("16 bytes begin with 12");
    Nonce::assume_unique_for_key(*iv)
}

/// What GCM authenticates of RTCP besides the text (RFC 7714 §9.2).
fn rtcp_aad(header: &[u8], trailer: [u8; RTCP_INDEX_BYTES]) -> [u8; RTCP_CLEAR_BYTES + RTCP_INDEX_BYTES] {
    let mut aad = [0; RTCP_CLEAR_BYTES + RTCP_INDEX_BYTES];
    aad[..RTCP_CLEAR_BYTES].copy_from_slice(header);
    aad[RTCP_CLEAR_BYTES..].copy_from_slice(&trailer);
    aad
}

fn sign(key: &hmac::Key, text: &[u8], behind: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(text);
    context.update(behind);
    context.sign()
}

/// Compares in constant time: how far a forged tag is right must not show.
fn verify(key: &hmac::Key, text: &[u8], behind: &[u8], tag: &[u8]) -> Result<(), SrtpError> {
    let expected = sign(key, text, behind);
    aws_lc_rs::constant_time::verify_slices_are_equal(&expected.as_ref()[..tag.len()], tag)
        .map_err(|_| SrtpError::NotAuthentic)
}

/// Returns how long a packet is without what stands behind its text, if that is at least `least_bytes`.
fn text_bytes(packet: &[u8], behind_bytes: usize, least_bytes: usize) -> Result<usize, SrtpError> {
    packet.len().checked_sub(behind_bytes).filter(|bytes| *bytes >= least_bytes).ok_or(SrtpError::TooShort)
}
