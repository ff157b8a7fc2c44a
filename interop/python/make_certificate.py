"""Makes the key of an application: `identity.pem` for the application, `certificate.pem` for the server.

usage: make_certificate.py FOLDER
"""

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

LIFETIME = timedelta(days=365)


def main(folder: Path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = self_signed(key).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "certificate.pem").write_bytes(certificate)
    identity = folder / "identity.pem"
    identity.touch(mode=0o600)
    identity.write_bytes(private + certificate)


def self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bot")])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + LIFETIME)
    return builder.sign(key, hashes.SHA256())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
