"""The folder's files in a registry, where a build in the cluster fetches them: an OCI artifact, named by digest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from modelwright.images import content
from modelwright.images.registry import registry
from modelwright.registry.client import digest_of
from modelwright.registry.reference import Reference

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
        "config": {"mediaType": _EMPTY, "digest": digest_of(b"{}"), "size": 2},
        "layers": [{"mediaType": _LAYER, "digest": digest_of(layer), "size": len(layer)}],
    }
    return layer, manifest


def upload(folder: Path, place: Reference, *, with_weights: bool) -> Reference:
    """Upload a folder's files to a tag, and give them by digest. Raises ImageError."""
    layer, manifest = pack(folder, with_weights=with_weights)
    asked = registry()
    for body in (b"{}", layer):
        asked.put_blob(place, body, digest_of(body))
    return place.at(asked.put_manifest(place, json.dumps(manifest).encode(), _MANIFEST))


def digest(folder: Path, *, with_weights: bool) -> str:
    """Give the digest that `upload` would, without a registry."""
    return digest_of(json.dumps(pack(folder, with_weights=with_weights)[1]).encode())


def place(tag: Reference, name: str) -> Reference:
    """Give the tag that a service's source goes to, beside its image."""
    return tag.tagged(f"{name}-source")
