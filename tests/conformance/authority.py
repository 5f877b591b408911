"""A certificate authority of a test's own, and the files that a server is given."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)


class Authority:
    """Signs certificates for 127.0.0.1; `file` is its own."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        builder = _builder(self._name, self._name, self._key.public_key())
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = builder.add_extension(constraints, critical=True).sign(self._key, hashes.SHA256())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def sign(self, name: str, password: bytes | None = None) -> tuple[Path, Path]:
        """Write and give a certificate and its key; again under the same name is a renewal, as a mount does it."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]
        builder = _builder(_named(name), self._name, key.public_key())
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return (
            _replace(self._folder / f"{name}.crt", certificate.public_bytes(pem)),
            _replace(self._folder / f"{name}.key", key.private_bytes(pem, form, encryption)),
        )

    def trust(self, own: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """Give a client's context, which shows `own`."""
        context = ssl.create_default_context(cafile=str(self.file))
        # Python 3.13 asks authorities for extensions that no test is about.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        if own:
            context.load_cert_chain(*own)
        return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=30))
    )


def _replace(file: Path, content: bytes) -> Path:
    fresh = file.with_suffix(".new")
    fresh.write_bytes(content)
    return fresh.replace(file)
