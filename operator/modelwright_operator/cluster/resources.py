"""The kinds that the operator reads or writes, and their addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OWNER_LABEL = "serving.kserve.io/inferenceservice"
"""KServe's label on every child and pod; its value is the InferenceService's name."""
IMAGE_LABEL = "modelwright.dev/modelimage"
"""Our label on every Job, pod and claim of a ModelImage; its value is the ModelImage's name."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of the API: ``api_version`` as in manifests, ``plural`` as in addresses."""

    api_version: str
    kind: str
    plural: str

    @property
    def label(self) -> str:
        """The plural with its group, as ``kubectl`` and RBAC rules write it."""
        group, _, _ = self.api_version.rpartition("/")
        return f"{self.plural}.{group}" if group else self.plural

    def path(self, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        """Return the request path; without a namespace, the one that spans all of them."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        parts = [root]
        if namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        return "/".join(parts)


INFERENCE_SERVICE = Resource("serving.kserve.io/v1beta1", "InferenceService", "inferenceservices")
DEPLOYMENT = Resource("apps/v1", "Deployment", "deployments")
SERVICE = Resource("v1", "Service", "services")
AUTOSCALER = Resource("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
INGRESS = Resource("networking.k8s.io/v1", "Ingress", "ingresses")
HTTP_ROUTE = Resource("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes")
NETWORK_POLICY = Resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
POD = Resource("v1", "Pod", "pods")
SERVICE_ACCOUNT = Resource("v1", "ServiceAccount", "serviceaccounts")
SECRET = Resource("v1", "Secret", "secrets")
EVENT = Resource("events.k8s.io/v1", "Event", "events")
CORE_EVENT = Resource("v1", "Event", "events")
"""The same objects as `EVENT`: what can be selected by the uid of the object that they are about."""
MODEL_IMAGE = Resource("modelwright.dev/v1alpha1", "ModelImage", "modelimages")
JOB = Resource("batch/v1", "Job", "jobs")
CLAIM = Resource("v1", "PersistentVolumeClaim", "persistentvolumeclaims")
KPACK_IMAGE = Resource("kpack.io/v1alpha2", "Image", "images")
LEASE = Resource("coordination.k8s.io/v1", "Lease", "leases")

CHILDREN = (SERVICE, DEPLOYMENT, AUTOSCALER, INGRESS, HTTP_ROUTE, NETWORK_POLICY)
"""The kinds that the operator owns: what it applies and prunes."""

BUILD_CHILDREN = (JOB, CLAIM)
"""The kinds that the operator makes for a ModelImage."""

_CHILD_BY_KIND = {resource.kind: resource for resource in CHILDREN}


def of_child(manifest: dict[str, Any]) -> Resource:
    """Return the resource of a child's manifest.

    Raises:
        KeyError: for a kind that the operator neither watches nor may write.
    """
    return _CHILD_BY_KIND[manifest["kind"]]
