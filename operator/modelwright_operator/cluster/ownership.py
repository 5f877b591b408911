"""Who owns a Deployment's replicas, by `metadata.managedFields`.

Server-side apply resets a field that its only owner stops applying. For `spec.replicas`, which an autoscaler is to
take over, that would be a fall to one pod until the autoscaler acts; Kubernetes' way around it is to have somebody
else own the live number first (https://kubernetes.io/docs/reference/using-api/server-side-apply/, "Transferring
ownership").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FIELD_MANAGER = "modelwright"
"""What the operator applies as."""
HANDOVER_MANAGER = "modelwright-handover"
"""What it applies `spec.replicas` as until an autoscaler writes them."""


def replica_ownership(metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the part of an object's managed fields that says that the operator owns its replicas, else nothing."""
    return [
        {"manager": FIELD_MANAGER, "fieldsV1": {"f:spec": {"f:replicas": {}}}}
        for entry in metadata.get("managedFields") or []
        if entry.get("manager") == FIELD_MANAGER and "f:replicas" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
    ]


def handover(desired: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what to apply as `HANDOVER_MANAGER` before ``desired``, None where the operator gives no replicas up."""
    if "replicas" in (desired.get("spec") or {}) or not replica_ownership(live["metadata"]):
        return None
    metadata = {name: desired["metadata"][name] for name in ("name", "namespace")}
    return {
        "apiVersion": desired["apiVersion"],
        "kind": desired["kind"],
        "metadata": metadata,
        "spec": {"replicas": live["spec"]["replicas"]},
    }
