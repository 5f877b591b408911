"""Whether the model's container serves over TLS, as its arguments or kserve's variables say."""

from enum import Enum

from modelwright_operator.desired.arguments import argument_value
from modelwright_operator.desired.subject import Subject

# kserve's server moves from the one to the other where it has a certificate.
PLAIN_PORT, TLS_PORT = 8080, 8443

_CERTIFICATE, _KEY = ("--ssl_certfile", "KSERVE_TLS_CERT_FILE"), ("--ssl_keyfile", "KSERVE_TLS_KEY_FILE")
_AUTHORITIES = ("--ssl_ca_certs", "")


class Tls(Enum):
    """What a client needs to speak to the container."""

    NONE = "none"
    SERVER = "server"
    # The client shows a certificate of its own, which the kubelet has not.
    MUTUAL = "mutual"


def tls(subject: Subject) -> Tls:
    """Return what the container's `args`, `command` and `env` say; certificate and key go together."""
    if not (_given(subject, *_CERTIFICATE) and _given(subject, *_KEY)):
        return Tls.NONE
    return Tls.MUTUAL if _given(subject, *_AUTHORITIES) else Tls.SERVER


def _given(subject: Subject, argument: str, variable: str) -> bool:
    container = subject.main_container
    if argument_value(container, argument):
        return True
    # A value may come from elsewhere (`valueFrom`), which is a value all the same.
    entries = [entry for entry in container.get("env") or [] if entry.get("name") == variable]
    return bool(entries) and bool(entries[-1].get("value") or entries[-1].get("valueFrom"))
