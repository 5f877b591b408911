"""The certificate that REST and gRPC show, read again when its files change."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from modelwright.server import log
from modelwright.server.arguments import Arguments
from modelwright.server.loading import LoadFailed

# Seconds between looks at the files; cert-manager renews days before the end, so it may be slow.
LOOK_EVERY = 5.0
Result = TypeVar("Result")
_Stamp = tuple[tuple[int, int, int], ...]


class BadCertificate(LoadFailed):
    """A file of --ssl_certfile, --ssl_keyfile or --ssl_ca_certs that TLS cannot be served with; names flag and file."""


class _Shown:
    """One certificate for connections of one protocol.

    `listening` is the context that a socket is bound to; each handshake moves on to the newest before anything is
    shown.
    """

    def __init__(self, listening: ssl.SSLContext) -> None:
        self.listening = self.newest = listening
        listening.sni_callback = self._hand_over

    def _hand_over(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = self.newest


class Certificates:
    """One certificate chain with its key and, where clients must show theirs, the authorities that may sign them."""

    def __init__(self, certificate: Path, key: Path, authorities: Path | None) -> None:
        self._certificate, self._key, self._authorities = certificate, key, authorities
        self._stamp, rest, grpc = self._read()
        self._rest, self._grpc = _Shown(rest), _Shown(grpc)
        self.context, self.grpc_context = rest, grpc

    def refresh(self) -> bool:
        """Read files that have changed, and give whether new ones are in use.

        Files that do not fit together are said in the log and left for the next look: one may be written before the
        other.
        """
        try:
            if self._stamped() == self._stamp:
                return False
            self._stamp, self._rest.newest, self._grpc.newest = self._read()
        except BadCertificate as error:
            log.LOGGER.error("the renewed certificate is not used yet: %s", error)
            return False
        log.LOGGER.info("the certificate was renewed")
        return True

    def _read(self) -> tuple[_Stamp, ssl.SSLContext, ssl.SSLContext]:
        """Read everything, for REST and for gRPC, which differ in the protocol that a client is to choose.

        Raises:
            BadCertificate: a file is missing, no PEM, encrypted, or belongs to another.

        """
        stamp = self._stamped()
        rest, grpc = self._context("http/1.1"), self._context("h2")
        if self._stamped() != stamp:
            raise BadCertificate("--ssl_certfile, --ssl_keyfile or --ssl_ca_certs changed while it was read")
        return stamp, rest, grpc

    def _stamped(self) -> _Stamp:
        files = {"--ssl_certfile": self._certificate, "--ssl_keyfile": self._key, "--ssl_ca_certs": self._authorities}
        return tuple(_stamp(flag, file) for flag, file in files.items() if file)

    def _context(self, protocol: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols([protocol])
        # Asked first and of another context: the error of load_cert_chain does not tell which of its files it means.
        _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "--ssl_certfile", self._certificate)
        try:
            context.load_cert_chain(self._certificate, self._key, self._refuse_password)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise BadCertificate(
                    f"--ssl_keyfile {self._key} is not the key of --ssl_certfile {self._certificate}"
                ) from None
            raise BadCertificate(f"--ssl_keyfile {self._key} holds no private key in PEM form") from None
        if self._authorities:
            _trust(context, "--ssl_ca_certs", self._authorities)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _refuse_password(self) -> NoReturn:
        # Without it OpenSSL would ask for a password on the terminal.
        raise BadCertificate(f"--ssl_keyfile {self._key} is encrypted; mount one that is not")


def certificates(arguments: Arguments) -> Certificates | None:
    """Read what the arguments name; None where they name nothing, which is plain HTTP.

    Raises:
        BadCertificate: a flag without the one that it needs, or a file that is no good.

    """
    given, key, authorities = arguments.ssl_certfile, arguments.ssl_keyfile, arguments.ssl_ca_certs
    if given and key:
        return Certificates(Path(given), Path(key), Path(authorities) if authorities else None)
    if given or key:
        raise BadCertificate(f"--ssl_{'cert' if given else 'key'}file needs --ssl_{'key' if given else 'cert'}file too")
    if authorities:
        raise BadCertificate("--ssl_ca_certs needs --ssl_certfile and --ssl_keyfile too")
    return None


def _stamp(flag: str, file: Path) -> tuple[int, int, int]:
    status = _or_refuse(flag, file, file.stat)
    return status.st_mtime_ns, status.st_ino, status.st_size


def _or_refuse(flag: str, file: Path, read: Callable[[], Result]) -> Result:
    try:
        return read()
    except OSError as error:
        raise BadCertificate(f"{flag} {file} cannot be read: {error.strerror}") from None


def _trust(context: ssl.SSLContext, flag: str, file: Path) -> None:
    try:
        context.load_verify_locations(file)
    except ssl.SSLError:
        raise BadCertificate(f"{flag} {file} holds no certificate in PEM form") from None
    except OSError as error:
        raise BadCertificate(f"{flag} {file} cannot be read: {error.strerror}") from None
