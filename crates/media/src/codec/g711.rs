//! ITU-T G.711: µ-law and A-law, one byte a sample.
//!
//! Decoding is a table of 256 made at compile time. Encoding computes the segment from the position of the highest bit:
//! as fast as a table of 64 KiB and friendlier to the cache.

/// Added to the magnitude before µ-law companding, so that every segment is a power of two wide (G.711, table 2).
const ULAW_BIAS: i32 = 0x84;

/// The largest magnitude µ-law can code on a 16 bit scale; louder samples clip here.
const ULAW_CLIP: i32 = 32_635;

/// A-law sends every second bit inverted, so that silence has bit changes for the line's clock (G.711, table 1a).
const ALAW_TOGGLE: u8 = 0x55;

const ULAW_TABLE: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = ulaw_expand(code as u8);
        code += 1;
    }
    table
};

const ALAW_TABLE: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = alaw_expand(code as u8);
        code += 1;
    }
    table
};

pub(crate) fn ulaw_decode(code: u8) -> i16 {
    ULAW_TABLE[usize::from(code)]
}

pub(crate) fn alaw_decode(code: u8) -> i16 {
    ALAW_TABLE[usize::from(code)]
}

pub(crate) fn ulaw_encode(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(ULAW_CLIP) + ULAW_BIAS;
    // The bias puts the highest bit of every magnitude between 7 and 14.
    let segment = 24 - magnitude.leading_zeros();
    let step = (magnitude >> (segment + 3)) & 0x0F;
    !(sign | (segment << 4) as u8 | step as u8)
}

pub(crate) fn alaw_encode(sample: i16) -> u8 {
    // One's complement, not negation: -1 and 0 are the two halves of the smallest step.
    let (sign, magnitude) = if sample < 0 { (0, !sample) } else { (0x80, sample) };
    let magnitude = i32::from(magnitude);
    let code = if magnitude < 256 {
        magnitude >> 4
    } else {
        let segment = 24 - magnitude.leading_zeros();
        ((segment as i32) << 4) | ((magnitude >> (segment + 3)) & 0x0F)
    };
    (sign | code as u8) ^ ALAW_TOGGLE
}

const fn ulaw_expand(code: u8) -> i16 {
    let code = !code;
    let segment = (code >> 4) & 7;
    let step = (code & 0x0F) as i32;
    let magnitude = (((step << 3) + ULAW_BIAS) << segment) - ULAW_BIAS;
    if code & 0x80 == 0 { magnitude as i16 } else { -magnitude as i16 }
}

const fn alaw_expand(code: u8) -> i16 {
    let code = code ^ ALAW_TOGGLE;
    let segment = (code >> 4) & 7;
    let step = ((code & 0x0F) as i32) << 4;
    // Half a step up: the middle of the interval.
    let magnitude = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
    if code & 0x80 != 0 { magnitude as i16 } else { -magnitude as i16 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_decoding_and_encoding() {
        for code in 0..=255u8 {
            assert_eq!(alaw_encode(alaw_decode(code)), code);
            // µ-law has two zeros, and encoding picks the positive one.
            let expected = if code == 0x7F { 0xFF } else { code };
            assert_eq!(ulaw_encode(ulaw_decode(code)), expected);
        }
    }

    #[test]
    fn known_values_of_the_tables() {
        // G.711 tables 1 and 2 on the 16 bit scale.
        assert_eq!([ulaw_decode(0x00), ulaw_decode(0x80), ulaw_decode(0xFF)], [-32_124, 32_124, 0]);
        assert_eq!([alaw_decode(0x2A), alaw_decode(0xAA), alaw_decode(0xD5)], [-32_256, 32_256, 8]);
    }

    #[test]
    fn each_sample_is_coded_as_its_nearest_value() {
        for sample in (i16::MIN..=i16::MAX).step_by(7) {
            let wide = i32::from(sample);
            let allowed = (wide.abs() >> 5).max(8) + if wide.abs() > 32_000 { 700 } else { 4 };
            assert!((i32::from(alaw_decode(alaw_encode(sample))) - wide).abs() <= allowed);
            assert!((i32::from(ulaw_decode(ulaw_encode(sample))) - wide).abs() <= allowed);
        }
    }
}
