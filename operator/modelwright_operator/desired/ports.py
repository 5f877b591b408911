"""The ports of the model's container: as written, and as the typed fields change them."""

from typing import Any

from modelwright_operator import labels
from modelwright_operator.desired.arguments import argument_value
from modelwright_operator.desired.subject import Subject
from modelwright_operator.desired.tls import PLAIN_PORT, TLS_PORT, Tls, tls

HTTP_NAME = "http"
GRPC_NAME = "h2c-port"


def speaks_http2(port: dict[str, Any], subject: Subject) -> bool:
    """Return whether a port is for gRPC: it is `grpcPort`, or by KServe's convention its name says so."""
    name = str(port.get("name", "")).lower()
    return "grpc" in name or "h2c" in name or port.get("containerPort") == subject.predictor.grpc_port


def container_ports(subject: Subject) -> list[dict[str, Any]]:
    """Return the model container's ports: the author's, and those of `httpPort` and `grpcPort` where missing.

    With `grpcPort` alone the server still serves REST on its default port, so both are listed, REST first:
    the first port is the one that the Service's port 80 leads to.
    """
    ports = [dict(port) for port in subject.main_container.get("ports") or []]
    predictor = subject.predictor
    if predictor.http_port is None and predictor.grpc_port is None:
        return ports
    numbers = {port.get("containerPort") for port in ports}
    if not ports or (predictor.http_port is not None and predictor.http_port not in numbers):
        ports.insert(0, {"name": _free_name(HTTP_NAME, ports), "containerPort": http_port(subject)})
    if predictor.grpc_port is not None and predictor.grpc_port not in numbers:
        ports.append({"name": _free_name(GRPC_NAME, ports), "containerPort": predictor.grpc_port})
    return ports


def http_port(subject: Subject) -> int:
    """Return the port on which the container serves REST; with a certificate, kserve's server makes 8443 of 8080."""
    port = _plain_port(subject)
    return TLS_PORT if port == PLAIN_PORT and tls(subject) is not Tls.NONE else port


def _plain_port(subject: Subject) -> int:
    if subject.predictor.http_port is not None:
        return subject.predictor.http_port
    argument = argument_value(subject.main_container, "--http_port")
    if argument is not None and argument.isdecimal():
        return int(argument)
    ports = subject.main_container.get("ports") or []
    rest = next((port for port in ports if not speaks_http2(port, subject)), None)
    return int(rest["containerPort"]) if rest else labels.DEFAULT_HTTP_PORT


def grpc_port(subject: Subject) -> int | None:
    """Return the port on which the container serves gRPC beside REST, or None where no port says so."""
    later = container_ports(subject)[1:]
    return next((int(port["containerPort"]) for port in later if speaks_http2(port, subject)), None)


def _free_name(name: str, ports: list[dict[str, Any]]) -> str:
    taken = {port.get("name") for port in ports}
    candidates = (name, *(f"{name}-{number}" for number in range(2, len(ports) + 3)))
    return next(candidate for candidate in candidates if candidate not in taken)
