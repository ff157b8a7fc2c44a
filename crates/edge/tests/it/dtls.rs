//! Certificates and fingerprints of DTLS-SRTP.

use edge::demux::{Datagram, claims};
use edge::dtls::{Certificate, Fingerprint, HashFunction, are_of};

#[test]
fn a_fingerprint_reads_as_it_is_written() {
    let certificate = Certificate::generate().unwrap();
    for hash in [HashFunction::Sha256, HashFunction::Sha384, HashFunction::Sha512] {
        let fingerprint = Fingerprint::of(hash, certificate.der());
        let text = fingerprint.to_string();
        assert_eq!(Fingerprint::parse(&text), Some(fingerprint.clone()));
        assert_eq!(Fingerprint::parse(&text.to_lowercase()), Some(fingerprint));
    }
    assert_eq!(certificate.fingerprint().to_string().len(), "sha-256 ".len() + 32 * 3 - 1);
}

#[test]
fn what_is_no_fingerprint_is_passed_over() {
    let sha_1 = "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";
    let whole = Certificate::generate().unwrap().fingerprint().to_string();
    let wrong = [
        "",
        "sha-256",
        sha_1,
        &whole[..whole.len() - 3],
        &format!("{whole}:00"),
        &format!("{whole} x"),
        &whole.replace(':', ""),
        &whole.replacen(':', ":+", 1),
        &whole.replace("sha-256", "sha-512"),
    ];
    for text in wrong {
        assert_eq!(Fingerprint::parse(text), None, "{text}");
    }
}

#[test]
fn a_certificate_must_fit_by_every_hash_function_that_is_told() {
    let [ours, other] = [(); 2].map(|()| Certificate::generate().unwrap());
    let of = |hash, certificate: &Certificate| Fingerprint::of(hash, certificate.der());
    let (sha_256, sha_512) = (HashFunction::Sha256, HashFunction::Sha512);
    assert!(are_of(&[of(sha_256, &ours)], ours.der()));
    assert!(are_of(&[of(sha_256, &other), of(sha_256, &ours), of(sha_512, &ours)], ours.der()));
    assert!(!are_of(&[of(sha_256, &other)], ours.der()));
    assert!(!are_of(&[of(sha_256, &ours), of(sha_512, &other)], ours.der()));
    assert!(!are_of(&[], ours.der()), "nothing told proves nothing");
}

#[test]
fn each_certificate_is_another_and_prints_no_key() {
    let [one, other] = [(); 2].map(|()| Certificate::generate().unwrap());
    assert_ne!(one, other);
    assert_eq!(format!("{one:?}"), format!("Certificate(\"{}\")", one.fingerprint()));
}

#[test]
fn datagrams_are_told_apart_by_their_first_byte() {
    let of = |byte: u8| claims(&[byte, 0]);
    assert_eq!([of(0), of(3), of(4), of(19)], [Datagram::Stun, Datagram::Stun, Datagram::Unknown, Datagram::Unknown]);
    assert_eq!([of(20), of(63), of(64)], [Datagram::Dtls, Datagram::Dtls, Datagram::Unknown]);
    assert_eq!([of(127), of(128), of(191)], [Datagram::Unknown, Datagram::Media, Datagram::Media]);
    assert_eq!([of(192), claims(&[])], [Datagram::Unknown, Datagram::Unknown]);
}
