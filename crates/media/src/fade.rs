//! Short ramps, so that switching sound on and off does not click.

/// Ramps the first `span` samples up from silence.
pub(crate) fn fade_in(pcm: &mut [i16], span: usize) {
    let span = span.min(pcm.len());
    for (i, sample) in pcm[..span].iter_mut().enumerate() {
        *sample = (i32::from(*sample) * i as i32 / span as i32) as i16;
    }
}

/// Ramps the first `span` samples down to silence; what follows is silence.
pub(crate) fn fade_out(pcm: &mut [i16], span: usize) {
    let span = span.min(pcm.len());
    for (i, sample) in pcm[..span].iter_mut().enumerate() {
        *sample = (i32::from(*sample) * (span - i) as i32 / span as i32) as i16;
    }
    pcm[span..].fill(0);
}
