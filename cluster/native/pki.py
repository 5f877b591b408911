"""The cluster's certificates and kubeconfigs.

The `cryptography` library rather than the openssl command: a dozen keys are made in milliseconds in this
process, expiry and addresses of what is there are read back as typed values, and no key passes through a
shell or a temporary request file.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = datetime.timedelta(days=365)
RENEW_BEFORE = datetime.timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom a certificate names: user, groups, and the addresses it serves on."""

    user: str
    groups: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def subject(self) -> x509.Name:
        """Return the distinguished name: Kubernetes reads the user from CN and the groups from O."""
        groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in self.groups]
        return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, self.user)])

    def names(self) -> x509.SubjectAlternativeName | None:
        """Return the alternative names, None for a mere client."""
        entries: list[x509.GeneralName] = [x509.DNSName(name) for name in self.dns]
        entries += [x509.IPAddress(ipaddress.ip_address(address)) for address in self.addresses]
        return x509.SubjectAlternativeName(entries) if entries else None


class Authority:
    """A certificate authority in a folder, with the certificates that it issued."""

    def __init__(self, folder: Path, *, now: datetime.datetime | None = None) -> None:
        self.folder = folder
        self._now = now or datetime.datetime.now(datetime.UTC)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.certificate, self._key = self._load() or self._create()

    @property
    def path(self) -> Path:
        """The authority's own certificate."""
        return self.folder / "ca.crt"

    @property
    def key_path(self) -> Path:
        """The authority's key, which the controller manager signs requests with."""
        return self.folder / "ca.key"

    def issue(self, name: str, identity: Identity) -> tuple[Path, Path]:
        """Return paths of certificate and key, issued anew when missing, expiring or of another identity."""
        crt, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        if not (key.is_file() and self._still_good(crt, identity)):
            private = ec.generate_private_key(ec.SECP256R1())
            builder = self._builder(identity.subject(), private.public_key()).add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            names = identity.names()
            if names is not None:
                builder = builder.add_extension(names, critical=False)
            write_private(key, _pem(private))
            crt.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return crt, key

    def kubeconfig(self, path: Path, name: str, identity: Identity, server: str) -> Path:
        """Write a kubeconfig with the identity's certificate inside, unless that very file is there."""
        crt, key = self.issue(name, identity)
        user = {"client-certificate-data": _embed(crt), "client-key-data": _embed(key)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "modelwright", "cluster": {"server": server, "certificate-authority-data": _embed(self.path)}}
            ],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "modelwright", "context": {"cluster": "modelwright", "user": name}}],
            "current-context": "modelwright",
        }
        # JSON is YAML, and needs no YAML library here.
        text = json.dumps(content, indent=1)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_private(path, text.encode())
        return path

    def _still_good(self, crt: Path, identity: Identity) -> bool:
        found = _read(crt)
        if found is None or found.not_valid_after_utc - RENEW_BEFORE < self._now:
            return False
        try:
            found.verify_directly_issued_by(self.certificate)
        except (InvalidSignature, ValueError):
            return False
        try:
            names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            names = None
        return found.subject == identity.subject() and names == identity.names()

    def _load(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
        certificate = _read(self.path)
        if certificate is None or not self.key_path.is_file():
            return None
        if certificate.not_valid_after_utc - RENEW_BEFORE < self._now:
            return None
        return certificate, load_key(self.key_path)

    def _create(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "modelwright-cluster-ca")])
        certificate = (
            self._builder(subject, key.public_key(), issuer=subject, authority=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_private(self.key_path, _pem(key))
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return certificate, key

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        issuer: x509.Name | None = None,
        *,
        authority: bool = False,
    ) -> x509.CertificateBuilder:
        usage = x509.KeyUsage(
            digital_signature=True,
            key_encipherment=not authority,
            key_cert_sign=authority,
            crl_sign=authority,
            content_commitment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer or self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            # An hour back: a virtual machine's clock may jump after it was resumed.
            .not_valid_before(self._now - datetime.timedelta(hours=1))
            .not_valid_after(self._now + VALID_FOR)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(usage, critical=True)
        )


def service_account_keys(folder: Path) -> tuple[Path, Path]:
    """Return paths of the public and the private key that service-account tokens are signed with."""
    public, private = folder / "sa.pub", folder / "sa.key"
    if not (public.is_file() and private.is_file()):
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(private, _pem(key))
        encoding = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        public.write_bytes(key.public_key().public_bytes(*encoding))
    return public, private


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, in one step."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.replace(path)


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a private key; raises ValueError when it is not one on an elliptic curve."""
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} is not an elliptic-curve key: remove the file, and it is made again")
    return key


def _read(path: Path) -> x509.Certificate | None:
    if not path.is_file():
        return None
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        return None


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _embed(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
