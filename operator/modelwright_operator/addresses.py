"""Names, hosts and URLs: what an InferenceService is called and where it is reached. KServe's forms throughout."""

import hashlib
import re

from modelwright_operator import labels
from modelwright_operator.settings import RouteKind, Settings

CLUSTER_DOMAIN = "svc.cluster.local"
MAX_LABEL = 63
"""Characters of a label's value, and of one part of a DNS name."""

_PLACEHOLDER = re.compile(r"\{\{\s*\.(\w+)\s*\}\}")


def predictor_name(name: str) -> str:
    """Return the name of the predictor's Deployment, Service and autoscaler."""
    return f"{name}-{labels.PREDICTOR}"


def worker_name(name: str) -> str:
    """Return the name of the workers' Deployment."""
    return f"{predictor_name(name)}-{labels.WORKER}"


def app_label(name: str) -> str:
    """Return the value of the `app` label that selects the predictor's pods."""
    return _app(predictor_name(name))


def worker_app_label(name: str) -> str:
    """Return the value of the `app` label that tells the workers' pods from the predictor's."""
    return _app(f"{name}-{labels.WORKER}")


def _app(component: str) -> str:
    """Return KServe's value; where a label has no room for it, and KServe fails, its end gives way to a hash."""
    value = f"isvc.{component}"
    if len(value) <= MAX_LABEL:
        return value
    digest = hashlib.sha256(component.encode()).hexdigest()[:8]
    return f"{value[: MAX_LABEL - len(digest) - 1]}-{digest}"


def host(name: str, namespace: str, settings: Settings) -> str:
    """Return the host of `name` in `namespace` by the domain template."""
    values = {"Name": name, "Namespace": namespace, "IngressDomain": settings.ingress_domain}
    return _PLACEHOLDER.sub(lambda found: values[found[1]], settings.domain_template)


def route_kind(isvc_labels: dict[str, str], settings: Settings) -> RouteKind:
    """Return what exposes a service with these labels, `none` where it stays inside the cluster."""
    visibility = (isvc_labels.get(labels.VISIBILITY), isvc_labels.get(labels.VISIBILITY_KNATIVE))
    if labels.CLUSTER_LOCAL in visibility or settings.ingress_domain == CLUSTER_DOMAIN:
        return "none"
    return settings.route_kind


def cluster_url(name: str, namespace: str) -> str:
    """Return the URL by which pods reach the predictor."""
    return f"http://{predictor_name(name)}.{namespace}.{CLUSTER_DOMAIN}"


def external_url(name: str, namespace: str, settings: Settings) -> str:
    """Return the URL by which callers outside reach `name` through the route."""
    return f"{settings.url_scheme}://{host(name, namespace, settings)}"
