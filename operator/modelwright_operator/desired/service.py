"""The Service that gives the predictor its address inside the cluster."""

from typing import Any

from modelwright_operator import labels
from modelwright_operator.desired.ports import container_ports, http_port, speaks_http2
from modelwright_operator.desired.subject import Subject


def service(subject: Subject) -> dict[str, Any]:
    """Return the predictor's Service: port 80 leads to the container's first port, later ports keep their number."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": subject.object_metadata(subject.component_name),
        "spec": {"selector": subject.selector, "ports": service_ports(subject)},
    }


def service_ports(subject: Subject) -> list[dict[str, Any]]:
    """Return the Service's ports for the model container's."""
    ports = container_ports(subject) or [{"containerPort": http_port(subject)}]
    result = []
    for index, port in enumerate(ports):
        number = port["containerPort"]
        entry = {
            "name": port.get("name") or (subject.component_name if index == 0 else f"port-{number}"),
            "port": labels.SERVICE_PORT if index == 0 else number,
            "targetPort": number,
            "protocol": port.get("protocol") or "TCP",
        }
        if speaks_http2(port, subject):
            entry["appProtocol"] = "kubernetes.io/h2c"
        result.append(entry)
    return result
