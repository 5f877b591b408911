"""What a builder image says of itself: its user, the platform APIs of its lifecycle, its run image."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from modelwright.registry.client import Registry
from modelwright.sources.reference import parse
from modelwright.weights.errors import WeightsError

METADATA = "io.buildpacks.builder.metadata"
SUPPORTED = ("0.13", "0.12", "0.11", "0.10", "0.9", "0.8", "0.7")
"""Platform APIs that the build's Jobs can speak, the preferred first: 0.13 is the first with insecure registries."""
_REMEDY = "Name a builder, as `make builder` or `pack builder create` makes it, in spec.builder."


@dataclass(frozen=True, slots=True)
class Builder:
    """A builder at a digest, with what a Job needs to know of it."""

    builder: str
    run_image: str
    uid: int
    gid: int
    platform_api: str

    def facts(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def resolve(image: str, run_image: str | None, registry: Registry, architecture: str) -> Builder:
    """Return the builder and its run image (or the one given) by digest. Raises `WeightsError`."""
    reference = parse(image)
    digest, content = registry.manifest(reference)
    # Of what was read, and not of what the tag names by now.
    manifest = registry.for_platform(reference, content, architecture)
    config = registry.config(reference, manifest).get("config") or {}
    metadata = _metadata(image, (config.get("Labels") or {}).get(METADATA))
    env = dict(entry.partition("=")[::2] for entry in config.get("Env") or [])
    try:
        uid, gid = int(env["CNB_USER_ID"]), int(env["CNB_GROUP_ID"])
    except (KeyError, ValueError):
        raise WeightsError(image, "does not say which user builds (CNB_USER_ID, CNB_GROUP_ID)", _REMEDY) from None
    if uid == 0:
        raise WeightsError(image, "builds as root", "Use a builder whose CNB_USER_ID is another user.")
    run = parse(run_image or _run_image(image, metadata))
    run_at = run.at(registry.manifest(run)[0])
    return Builder(str(reference.at(digest)), str(run_at), uid, gid, _platform_api(image, metadata))


def _metadata(image: str, label: str | None) -> dict[str, Any]:
    try:
        found = json.loads(label or "")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise WeightsError(image, f"is not a builder: it has no label {METADATA}", _REMEDY)
    return found


def _run_image(image: str, metadata: dict[str, Any]) -> str:
    listed = metadata.get("images") or []
    older = ((metadata.get("stack") or {}).get("runImage") or {}).get("image")
    found = (listed[0].get("image") if listed else None) or older
    if not found:
        raise WeightsError(image, "names no run image", "Name one in spec.runImage.")
    return str(found)


def _platform_api(image: str, metadata: dict[str, Any]) -> str:
    platform = ((metadata.get("lifecycle") or {}).get("apis") or {}).get("platform") or {}
    offered = {*(platform.get("supported") or []), *(platform.get("deprecated") or [])}
    for version in SUPPORTED:
        if version in offered:
            return version
    raise WeightsError(
        image, f"its lifecycle speaks none of the platform APIs {', '.join(SUPPORTED)}", "Use a newer builder."
    )
