"""What an image weighs, layer by layer, from its manifest and its configuration. Pure.

Source: the label io.buildpacks.lifecycle.metadata as github.com/buildpacks/lifecycle, platform/files, writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_METADATA: Final = "io.buildpacks.lifecycle.metadata"
_NAME: Final = 72
# What a Dockerfile of `modelwright dockerfile` sets, and the layers with which it ends.
_OURS: Final = "VIRTUAL_ENV=/opt/modelwright"
_LAST: Final = ("dependencies", "application")
BASE: Final = "base image"


@dataclass(frozen=True, slots=True)
class Layer:
    """`size` is in compressed bytes, as a node pulls them."""

    name: str
    size: int


def layers(manifest: Mapping[str, Any], config: Mapping[str, Any]) -> list[Layer]:
    """Name each layer: by the buildpack that made it, else by the instruction; those of the base are one."""
    ids: Sequence[str] = config.get("rootfs", {}).get("diff_ids", [])
    sizes = [int(each["size"]) for each in manifest["layers"]]
    labels = config.get("config", {}).get("Labels") or {}
    if _METADATA in labels:
        named = _of_lifecycle(json.loads(labels[_METADATA]), ids)
    elif _OURS in (config.get("config", {}).get("Env") or ()):
        named = [BASE] * (len(sizes) - len(_LAST)) + [*_LAST]
    else:
        named = _of_history(config)
    named = [*named, *("" for _ in sizes)][: len(sizes)]
    found: dict[str, int] = {}
    for name, size in zip(named, sizes, strict=True):
        found[name or "another"] = found.get(name or "another", 0) + size
    return [Layer(name, size) for name, size in found.items()]


def _of_lifecycle(metadata: Mapping[str, Any], ids: Sequence[str]) -> list[str]:
    names = dict(_shas(metadata))
    top = metadata.get("runImage", {}).get("topLayer")
    base = ids.index(top) + 1 if top in ids else 0
    return [BASE if place < base else names.get(each, "") for place, each in enumerate(ids)]


def _shas(metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in metadata.get("buildpacks") or []:
        for layer, content in (each.get("layers") or {}).items():
            yield content.get("sha", ""), f"{each['key']}:{layer}"
    for each in metadata.get("app") or []:
        yield each.get("sha", ""), "application"
    for name in ("launcher", "config", "process-types", "sbom"):
        yield (metadata.get(name) or {}).get("sha", ""), name


def _of_history(config: Mapping[str, Any]) -> list[str]:
    history = [each for each in config.get("history") or [] if not each.get("empty_layer")]
    return [_instruction(str(each.get("created_by") or "")) for each in history]


def _instruction(text: str) -> str:
    return " ".join(text.replace("/bin/sh -c", "").replace("#(nop)", "").split())[:_NAME]


def lines(found: Sequence[Layer]) -> Iterator[str]:
    """Yield a line for each layer that weighs, the heaviest first, and one for their sum."""
    total = sum(each.size for each in found)
    for each in sorted(found, key=lambda each: -each.size):
        if each.size * 100 >= total:
            yield f"{each.name:48} {each.size / 1e6:8.1f} MB"
    of_base = sum(each.size for each in found if each.name == BASE)
    over = f", {(total - of_base) / 1e6:.1f} MB of it over the base image" if of_base else ""
    yield f"{total / 1e6:.1f} MB compressed{over}"
