"""The PersistentVolumeClaim that keeps a ModelImage's layers from one build to the next."""

from typing import Any

from modelwright_operator.desired.build.target import Target
from modelwright_operator.desired.quantities import InvalidQuantityError, canonical


def claim_name(target: Target) -> str:
    """Return the claim's name."""
    return f"{target.name}-cache"


def cache_claim(target: Target) -> dict[str, Any] | None:
    """Return the claim, None where layers are not kept in one. One build at a time writes it."""
    volume = target.image.spec.cache.volume
    if volume is None:
        return None
    try:
        size = canonical(volume.size)
    except InvalidQuantityError:
        # The API server's own message about it is better than one of ours.
        size = volume.size
    spec: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    if volume.storage_class_name:
        spec["storageClassName"] = volume.storage_class_name
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": target.metadata(claim_name(target)),
        "spec": spec,
    }
