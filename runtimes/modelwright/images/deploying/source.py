"""The folder's files in a registry, where a build in the cluster fetches them: an OCI artifact, named by digest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from modelwright.images import content
from modelwright.images.reference import Reference
from modelwright.images.registry import Registry

_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
_EMPTY: Final = "application/vnd.oci.empty.v1+json"
ARTIFACT: Final = "application/vnd.modelwright.source.v1+json"


def pack(folder: Path, *, with_weights: bool) -> tuple[bytes, dict[str, Any]]:
    """Give the archive of a folder's files and the manifest that names it; one content is one digest.

    Weights stay here unless they are asked for: the build would leave them out of the image.
    Raises ImageError where a link leads out of the folder.
    """
    weights = [] if with_weights else content.weights(folder)
    layer = content.archive(folder, ignored=[*content.LEFT_OUT, *weights])
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "artifactType": ARTIFACT,
        "config": {"mediaType": _EMPTY, "digest": _digest(b"{}"), "size": 2},
        "layers": [{"mediaType": _LAYER, "digest": _digest(layer), "size": len(layer)}],
    }
    return layer, manifest


def upload(folder: Path, place: Reference, *, with_weights: bool) -> Reference:
    """Upload a folder's files to a tag, and give them by digest. Raises ImageError."""
    layer, manifest = pack(folder, with_weights=with_weights)
    registry = Registry(place, pushing=True)
    for body in (b"{}", layer):
        registry.put_blob(body, _digest(body))
    return place.at(registry.put_manifest(place.tag, json.dumps(manifest).encode(), _MANIFEST))


def digest(folder: Path, *, with_weights: bool) -> str:
    """Give the digest that `upload` would, without a registry."""
    return _digest(json.dumps(pack(folder, with_weights=with_weights)[1]).encode())


def place(tag: Reference, name: str) -> Reference:
    """Give the tag that a service's source goes to, beside its image."""
    return tag.tagged(f"{name}-source")


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
