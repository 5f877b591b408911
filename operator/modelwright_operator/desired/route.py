"""The route by which callers outside the cluster reach the predictor: an Ingress, or HTTPRoutes."""

from typing import Any

from modelwright_operator import labels
from modelwright_operator.addresses import host, route_kind
from modelwright_operator.desired.ports import grpc_port
from modelwright_operator.desired.subject import Subject
from modelwright_operator.settings import Settings

GATEWAY_API = "gateway.networking.k8s.io"
GRPC_PREFIX = "/inference.GRPCInferenceService"
"""The path of every call of the open inference protocol's gRPC service, so one host serves REST and gRPC."""


def routes(subject: Subject, settings: Settings) -> list[dict[str, Any]]:
    """Return the objects that expose the predictor, none for a service that stays inside the cluster.

    They exist before the predictor is ready, so that a first request waits for pods and not for the ingress
    controller to learn of the route.
    """
    kind = route_kind(subject.isvc.metadata.labels, settings)
    if kind == "Ingress":
        return [_ingress(subject, settings)]
    if kind == "HTTPRoute":
        return [_http_route(subject, settings, name) for name in (subject.name, subject.component_name)]
    return []


def _ingress(subject: Subject, settings: Settings) -> dict[str, Any]:
    names = (subject.name, subject.component_name)
    spec: dict[str, Any] = {
        "rules": [
            {"host": host(name, subject.namespace, settings), "http": {"paths": _paths(subject)}} for name in names
        ]
    }
    if settings.ingress_class_name is not None:
        spec["ingressClassName"] = settings.ingress_class_name
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": subject.object_metadata(subject.name),
        "spec": spec,
    }


def _paths(subject: Subject) -> list[dict[str, Any]]:
    return [
        {
            "path": prefix,
            "pathType": "Prefix",
            "backend": {"service": {"name": subject.component_name, "port": {"number": port}}},
        }
        for prefix, port in _destinations(subject)
    ]


def _destinations(subject: Subject) -> list[tuple[str, int]]:
    """Return path prefixes and the Service's ports that serve them, the most specific first."""
    grpc = grpc_port(subject)
    first = [(GRPC_PREFIX, grpc)] if grpc is not None else []
    return [*first, ("/", labels.SERVICE_PORT)]


def _http_route(subject: Subject, settings: Settings, name: str) -> dict[str, Any]:
    return {
        "apiVersion": f"{GATEWAY_API}/v1",
        "kind": "HTTPRoute",
        "metadata": subject.object_metadata(name),
        "spec": {
            "parentRefs": [
                {
                    "group": GATEWAY_API,
                    "kind": "Gateway",
                    "name": settings.gateway_name,
                    "namespace": settings.gateway_namespace,
                }
            ],
            "hostnames": [host(name, subject.namespace, settings)],
            "rules": [_rule(subject, settings, prefix, port) for prefix, port in _destinations(subject)],
        },
    }


def _rule(subject: Subject, settings: Settings, prefix: str, port: int) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "matches": [{"path": {"type": "PathPrefix", "value": prefix}}],
        # KServe's headers: a payload logger or an activator behind the gateway reads them.
        "filters": [
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": {
                    "set": [
                        {"name": "KServe-Isvc-Name", "value": subject.name},
                        {"name": "KServe-Isvc-Namespace", "value": subject.namespace},
                    ]
                },
            }
        ],
        "backendRefs": [{"kind": "Service", "name": subject.component_name, "port": port}],
    }
    if seconds := subject.predictor.timeout or settings.default_timeout_seconds:
        rule["timeouts"] = {"request": duration(seconds)}
    return rule


def duration(seconds: int) -> str:
    """Return a Gateway API duration: at most five digits before a unit, so long ones are split."""
    hours, rest = divmod(seconds, 3600)
    return f"{seconds}s" if seconds < 100_000 else f"{hours}h" + (f"{rest}s" if rest else "")
