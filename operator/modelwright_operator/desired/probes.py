"""Probes of the model's container. The author's own always win; these fill in what is missing."""

from typing import Any

from modelwright_operator.desired.ports import container_ports, http_port
from modelwright_operator.desired.subject import Subject
from modelwright_operator.desired.tls import Tls, tls
from modelwright_operator.settings import Settings

STARTUP_PERIOD = 2


def probes(subject: Subject, settings: Settings) -> dict[str, Any]:
    """Return the probes for the model's container, by the name of the field that holds each."""
    # The kubelet has no certificate to show, so it can only look whether the port is open.
    if subject.serves_health_endpoints and tls(subject) is not Tls.MUTUAL:
        return _by_http(subject, settings)
    return {"readinessProbe": _by_tcp(subject)}


def _by_http(subject: Subject, settings: Settings) -> dict[str, Any]:
    """Ask the server itself.

    Readiness asks for all models under whatever names their code gives them: `/v2/health/ready` is true once
    every one has loaded, and false while the server drains. Liveness is patient (two minutes): a server whose
    author's code holds the event loop is slow, not dead, and killing it loses the requests it works on. Until
    the startup probe succeeds the other two do not run, so a slow load never looks like a dead server.
    """
    where = {"port": http_port(subject)} | ({"scheme": "HTTPS"} if tls(subject) is Tls.SERVER else {})
    live = {"path": "/v2/health/live", **where}
    return {
        "startupProbe": {
            "httpGet": live,
            "periodSeconds": STARTUP_PERIOD,
            "timeoutSeconds": STARTUP_PERIOD,
            "failureThreshold": max(1, settings.startup_seconds // STARTUP_PERIOD),
        },
        "readinessProbe": {
            "httpGet": {"path": "/v2/health/ready", **where},
            "periodSeconds": 5,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
        "livenessProbe": {
            "httpGet": live,
            "periodSeconds": 20,
            "timeoutSeconds": 10,
            "failureThreshold": 6,
        },
    }


def _by_tcp(subject: Subject) -> dict[str, Any]:
    """KServe's default: any server at all has an open port, and nothing more is known of this one."""
    ports = container_ports(subject)
    return {
        "tcpSocket": {"port": ports[0]["containerPort"] if ports else http_port(subject)},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
