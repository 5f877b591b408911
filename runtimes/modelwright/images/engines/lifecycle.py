"""The builder's own lifecycle, run in the builder's image: layers go straight to the registry and are reused there."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

from modelwright.images import content
from modelwright.images.engines import creator, daemon, in_buildah, in_docker
from modelwright.images.engines.pack import NO_BUILDER
from modelwright.images.order import Lines, Order
from modelwright.images.registry import registry

_EXPORTED: Final = re.compile(r"^\*\*\* Images \((sha256:[0-9a-f]{64})\)")
"""What the lifecycle pushed, in its own words; another push may have moved the tag since."""


class Lifecycle:
    """`creator` in one container, of Docker's where a daemon answers, else of buildah's."""

    name = "lifecycle"
    what = "the builder's phases by its own lifecycle in one container, straight to the registry"

    def unfit(self, order: Order) -> str | None:
        """See `order.Engine`."""
        if not order.builder:
            return NO_BUILDER
        if not order.push:
            return "the image goes straight to a registry: add --push"
        if tables := content.for_pack(order.folder):
            return f"project.toml has {', '.join(tables)}, which pack alone reads: install pack, or delete it"
        if daemon.answers() or shutil.which("buildah"):
            return None
        return "no Docker daemon answers and buildah is not on PATH: start Docker, or install it (package `buildah`)"

    def build(self, order: Order, each: Lines) -> str:
        """See `order.Engine`."""
        container, digests = in_docker if daemon.answers() else in_buildah, [""]

        def read(line: str) -> None:
            digests.extend(_EXPORTED.findall(line))
            each(line)

        with tempfile.TemporaryDirectory(prefix="modelwright-build-") as scratch:
            creator.stage(order, Path(scratch))
            container.run(order, Path(scratch), read)
        return digests[-1] or registry().digest(order.tag) or ""
