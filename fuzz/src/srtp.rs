//! A datagram that claims to be SRTP or SRTCP, in every suite; and the same bytes encrypted by us.

use edge::srtp::{KeySource, Keys, Protection, SrtpError, Suite};

pub(crate) fn run(bytes: &[u8]) {
    for suite in Suite::ALL {
        let [ours, theirs] = [1, 2].map(|secret| KeySource::new([secret; 32]).key(suite));
        let there = Keys { ours: theirs.clone(), theirs: ours.clone() };
        let (mut here, mut there) = (Protection::new(&Keys { ours, theirs }), Protection::new(&there));
        let (mut sealed, mut opened) = (Vec::new(), Vec::new());
        assert!(there.unprotect(bytes, &mut opened).is_err(), "nobody guesses a tag");
        match here.protect(bytes, &mut sealed) {
            Ok(()) => {
                assert_eq!(there.unprotect(&sealed, &mut opened), Ok(()));
                assert_eq!(opened, bytes);
                assert_eq!(there.unprotect(&sealed, &mut opened), Err(SrtpError::Replayed));
            }
            Err(error) => assert_eq!(error, SrtpError::TooShort),
        }
    }
}
