"""What a live object lacks of a desired one.

Server-side apply gives a field to its manager, so a live object may hold more than was applied: defaults, a
sidecar that somebody injected, an annotation of the Deployment controller. Only what was asked for is
compared. Fields that are no longer asked for cannot be seen this way; `stamp` writes a digest of the applied
manifest beside it for those.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

APPLIED_LABEL = "modelwright.dev/applied"
"""Digest of the manifest that was applied last; on children only, never on a pod template or the user's object.
A label, because a Deployment whose annotations change counts as a new generation, not ready for a moment."""

_MERGE_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "containers": (("name",),),
    "initContainers": (("name",),),
    "volumes": (("name",),),
    "env": (("name",),),
    "imagePullSecrets": (("name",),),
    "claims": (("name",),),
    "resourceClaims": (("name",),),
    "schedulingGates": (("name",),),
    "volumeMounts": (("mountPath",),),
    "volumeDevices": (("devicePath",),),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "hostAliases": (("ip",),),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "ownerReferences": (("uid",),),
}
"""Lists that Kubernetes merges item by item, with the fields that tell items apart (listMapKey in k8s.io/api)."""

_KEY_DEFAULTS = {"protocol": "TCP"}


def digest(manifest: Mapping[str, Any]) -> str:
    """Return a short digest of a manifest that does not depend on the order of its keys."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stamp(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest with its own digest as label."""
    metadata = manifest["metadata"]
    labels = {**(metadata.get("labels") or {}), APPLIED_LABEL: digest(manifest)}
    return {**manifest, "metadata": {**metadata, "labels": labels}}


def differences(desired: object, live: object) -> list[str]:
    """Return a line for each field of ``desired`` that ``live`` lacks or holds with another value."""
    return list(_walk(desired, live, "", ""))


def _walk(desired: object, live: object, path: str, field: str) -> Iterator[str]:
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        for key, value in desired.items():
            below = f"{path}.{key}" if path else str(key)
            if key in live:
                yield from _walk(value, live[key], below, key)
            else:
                yield f"{below}: missing"
    elif isinstance(desired, list) and isinstance(live, list):
        yield from _walk_list(desired, live, path, field)
    elif desired != live or isinstance(desired, bool) != isinstance(live, bool):
        yield f"{path}: {_short(live)} instead of {_short(desired)}"


def _walk_list(desired: list[Any], live: list[Any], path: str, field: str) -> Iterator[str]:
    wanted = _keyed(desired, field)
    found = _keyed(live, field)
    if wanted is not None and found is not None:
        for key, item in wanted.items():
            below = f"{path}[{'/'.join(str(part) for part in key)}]"
            if key in found:
                yield from _walk(item, found[key], below, "")
            else:
                yield f"{below}: missing"
    elif len(desired) != len(live):
        yield f"{path}: {len(live)} items instead of {len(desired)}"
    else:
        for index, (item, other) in enumerate(zip(desired, live, strict=True)):
            yield from _walk(item, other, f"{path}[{index}]", "")


def _keyed(items: list[Any], field: str) -> dict[tuple[Any, ...], Any] | None:
    """Return the items by their merge keys, or None for a list that is one value as a whole."""
    for keys in _MERGE_KEYS.get(field, ()):
        found = {}
        for item in items:
            if not isinstance(item, Mapping) or keys[0] not in item:
                break
            found[tuple(item.get(key, _KEY_DEFAULTS.get(key)) for key in keys)] = item
        else:
            if len(found) == len(items):
                return found
    return None


def _short(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
