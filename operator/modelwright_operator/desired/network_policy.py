"""Who may speak to the pods of a Ray: they to each other, on any port; everybody to the ports that serve."""

from typing import Any

from modelwright_operator.desired.ports import http_port
from modelwright_operator.desired.ray import members
from modelwright_operator.desired.subject import Subject


def network_policies(subject: Subject) -> list[dict[str, Any]]:
    """Return two policies, which add up: the Ray's, closed to all but its members, and the server's own ports.

    Whoever reaches Ray's ports may run code in its pods; the token keeps out whom no policy does.
    """
    return [
        _policy(
            subject,
            f"{subject.name}-ray",
            {"podSelector": members(subject), "ingress": [{"from": [{"podSelector": members(subject)}]}]},
        ),
        _policy(
            subject,
            subject.component_name,
            {"podSelector": {"matchLabels": subject.selector}, "ingress": [{"ports": _served(subject)}]},
        ),
    ]


def _policy(subject: Subject, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": subject.object_metadata(name),
        "spec": {**spec, "policyTypes": ["Ingress"]},
    }


def _served(subject: Subject) -> list[dict[str, Any]]:
    """Return the port that serves REST and every one that a container of the predictor lists."""
    listed = [port for container in subject.predictor.containers for port in container.get("ports") or []]
    found = {(int(port["containerPort"]), str(port.get("protocol") or "TCP")) for port in listed}
    found.add((http_port(subject), "TCP"))
    if subject.predictor.grpc_port is not None:
        found.add((subject.predictor.grpc_port, "TCP"))
    return [{"port": number, "protocol": protocol} for number, protocol in sorted(found)]
