//! What bytes are, by looking at them.

use super::Container;

/// What a file seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Audio that can be decoded.
    Audio(Container),
    /// Something else, with an article.
    Other(&'static str),
}

/// How far into a file a text is recognised by, in bytes.
const TEXT_BYTES: usize = 512;

/// How files begin: where, with what, and what that means. The first that fits counts.
const SIGNATURES: &[(usize, &[u8], Kind)] = &[
    (0, b"RF64", Kind::Other("an RF64 file (WAV for more than 4 GiB)")),
    (8, b"WAVE", Kind::Audio(Container::Wav)),
    (0, b"fLaC", Kind::Audio(Container::Flac)),
    (0, b"ID3", Kind::Audio(Container::Mp3)),
    (28, b"OpusHead", Kind::Audio(Container::OggOpus)),
    (29, b"vorbis", Kind::Audio(Container::OggVorbis)),
    (0, b"OggS", Kind::Other("an Ogg file without Vorbis or Opus")),
    (8, b"AVI ", Kind::Other("an AVI video")),
    (8, b"WEBP", Kind::Other("a WebP image")),
    (4, b"ftyp", Kind::Other("an MP4 file (AAC or video)")),
    (8, b"AIFF", Kind::Other("an AIFF file")),
    (8, b"AIFC", Kind::Other("an AIFF file")),
    (0, b"caff", Kind::Other("a CAF file")),
    (0, b".snd", Kind::Other("a Sun audio file")),
    (0, b"#!AMR", Kind::Other("an AMR file")),
    (0, b"MThd", Kind::Other("a MIDI file")),
    (0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", Kind::Other("a Windows Media file")),
    (0, b"\x1A\x45\xDF\xA3", Kind::Other("a Matroska or WebM file")),
    (0, b"\xFF\xD8\xFF", Kind::Other("a JPEG image")),
    (0, b"\x89PNG", Kind::Other("a PNG image")),
    (0, b"GIF8", Kind::Other("a GIF image")),
    (0, b"%PDF", Kind::Other("a PDF document")),
    (0, b"PK\x03\x04", Kind::Other("a ZIP archive")),
    (0, b"\x1F\x8B", Kind::Other("gzip-compressed data")),
];

/// Tells what a file is from its first bytes.
pub(super) fn sniff(bytes: &[u8]) -> Kind {
    if bytes.is_empty() {
        return Kind::Other("empty");
    }
    let signature =
        SIGNATURES.iter().find(|(at, magic, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    match signature {
        Some((_, _, kind)) => *kind,
        None => mpeg(bytes).unwrap_or_else(|| Kind::Other(text(bytes).unwrap_or("of an unknown kind"))),
    }
}

/// An MPEG frame begins with eleven set bits; the next four name version and layer (ISO 11172-3 section 2.4.1.3).
fn mpeg(bytes: &[u8]) -> Option<Kind> {
    let &[0xFF, second] = bytes.first_chunk::<2>()? else { return None };
    match (second >> 5, (second >> 1) & 3) {
        (0b111, 0b01) => Some(Kind::Audio(Container::Mp3)),
        (0b111, 0b00) => Some(Kind::Other("an AAC file")),
        (0b111, _) => Some(Kind::Other("an MPEG audio file of layer I or II")),
        _ => None,
    }
}

fn text(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(TEXT_BYTES)];
    let is_text = head.iter().all(|&b| b >= b' ' && b != 0x7F || b.is_ascii_whitespace());
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let head = head.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']);
    if !is_text {
        return None;
    }
    let begins = |words: &[&str]| words.iter().any(|word| head.starts_with(word));
    Some(match () {
        () if begins(&["<!doctype html", "<html", "<head", "<body", "<script"]) => "an HTML page",
        () if begins(&["<"]) => "an XML document",
        () if begins(&["{", "["]) => "a JSON document",
        () => "plain text",
    })
}
