"""The part of a live object that anybody here looks at.

Objects are kept as compact JSON text: a Deployment takes 2 KB that way and 15 KB as Python dictionaries, and
most are looked at once in ten minutes. Trimming also means that what changes in the rest (an HPA's
measurements, every quarter of a minute) wakes nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from modelwright_operator.cluster.ownership import replica_ownership

_METADATA = (
    "name", "namespace", "uid", "generation", "labels", "annotations", "ownerReferences", "creationTimestamp",
    "deletionTimestamp",
)  # fmt: skip
_NOISY_ANNOTATIONS = ("kubectl.kubernetes.io/last-applied-configuration",)
_POD_STATUS = (
    "phase",
    "reason",
    "message",
    "conditions",
    "startTime",
    "initContainerStatuses",
    "containerStatuses",
)
_CONTAINER = ("name", "image", "restartPolicy")
_SERVICE_ACCOUNT_ANNOTATIONS = "serving.kserve.io/"


def trim(obj: Mapping[str, Any]) -> str:
    """Return an object's JSON text, reduced to what its kind needs and without its resource version."""
    kept = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": _metadata(obj["metadata"])}
    kept.update(_BODY.get(obj["kind"], _whole)(obj))
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept = _pick(metadata, _METADATA)
    annotations = {k: v for k, v in (kept.pop("annotations", None) or {}).items() if k not in _NOISY_ANNOTATIONS}
    if annotations:
        kept["annotations"] = annotations
    if owned := replica_ownership(metadata):
        kept["managedFields"] = owned
    return kept


def _whole(obj: Mapping[str, Any]) -> dict[str, Any]:
    return {key: obj[key] for key in ("spec", "status") if key in obj}


def _pod(obj: Mapping[str, Any]) -> dict[str, Any]:
    spec = obj.get("spec") or {}
    kept: dict[str, Any] = _pick(spec, ("nodeName",))
    for field in ("containers", "initContainers"):
        if field in spec:
            kept[field] = [_pick(container, _CONTAINER) for container in spec[field]]
    return {"spec": kept, "status": _pick(obj.get("status") or {}, _POD_STATUS)}


def _autoscaler(obj: Mapping[str, Any]) -> dict[str, Any]:
    return {"spec": obj.get("spec") or {}}


def _service_account(obj: Mapping[str, Any]) -> dict[str, Any]:
    return {field: obj[field] for field in ("secrets", "imagePullSecrets") if obj.get(field)}


_BODY: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "Pod": _pod,
    "HorizontalPodAutoscaler": _autoscaler,
    "Service": lambda obj: {"spec": obj.get("spec") or {}},
    "ServiceAccount": _service_account,
    # What a Job was made for is in its labels; its pod template is large and never compared.
    "Job": lambda obj: {"status": obj.get("status") or {}},
}


def shapes_storage(service_account: Mapping[str, Any]) -> bool:
    """Say whether a ServiceAccount holds anything that storage or a build depends on; most hold nothing."""
    annotations = service_account["metadata"].get("annotations") or {}
    return bool(service_account.get("secrets") or service_account.get("imagePullSecrets")) or any(
        key.startswith(_SERVICE_ACCOUNT_ANNOTATIONS) for key in annotations
    )


def _pick(source: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: source[key] for key in keys if key in source}
