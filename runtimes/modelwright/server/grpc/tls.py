"""The server's certificate as gRPC wants it: asked for at each handshake, so that a renewed one needs no restart."""

from __future__ import annotations

from typing import TypeAlias

import grpc

from modelwright.server.tls import Certificates, Pem

Configuration: TypeAlias = grpc.ServerCertificateConfiguration


def credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """Return credentials that follow `certificates`."""
    current = _configuration(certificates.pem)
    known = certificates.pem

    def newest() -> Configuration | None:
        # None keeps what gRPC has, which spares it parsing the same files at each handshake.
        nonlocal known
        if certificates.pem is known:
            return None
        known = certificates.pem
        return _configuration(known)

    # The stubs forget that grpc's fetcher may return None.
    return grpc.dynamic_ssl_server_credentials(current, newest, certificates.wants_clients)  # type: ignore[arg-type]


def _configuration(pem: Pem) -> Configuration:
    return grpc.ssl_server_certificate_configuration([(pem.key, pem.certificate)], pem.authorities)
