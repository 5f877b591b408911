"""`pack`, which runs the builder's phases in Docker."""

from __future__ import annotations

import shutil
from typing import Final

from modelwright.images import tools
from modelwright.images.engines import daemon
from modelwright.images.order import CERTIFICATES, Lines, Order, host_certificates
from modelwright.images.registry import registry

NO_BUILDER: Final = "no builder is named: --builder IMAGE or MODELWRIGHT_BUILDER (`make builder` makes Modelwright's)"
_VOLUME_KEY: Final = {"PACK_VOLUME_KEY": "modelwright"}
"""Where pack finds no home of its own (in a container) it would name the cache of every build differently."""


class Pack:
    """`pack build` with the builder that was named, which is trusted: one container runs all phases."""

    name = "pack"
    what = "the builder's phases by pack, in Docker"

    def unfit(self, order: Order) -> str | None:
        """See `order.Engine`."""
        if not order.builder:
            return NO_BUILDER
        if shutil.which("pack") is None:
            return "pack is not on PATH: install it (buildpacks.io/docs, 'pack')"
        return None if daemon.environment() is not None else f"no Docker daemon answers: {daemon.REMEDY}"

    def build(self, order: Order, each: Lines) -> str:
        """See `order.Engine`."""
        given, docker = order.build_environment(), daemon.environment() or {}
        command = ["pack", "build", str(order.tag), "--path", str(order.folder), "--builder", order.builder]
        # The registry and the package index are reached as this machine reaches them.
        command += ["--trust-builder", "--network", "host", "--no-color"]
        command += ["--publish", "--pull-policy", "always"] if order.push else ["--pull-policy", "if-not-present"]
        # The exporter, in a container, speaks to the same daemon, wherever its socket is.
        command += ["--docker-host", "inherit"] if docker and not order.push else []
        command += ["--run-image", order.run_image] if order.run_image else []
        command += ["--clear-cache"] if order.fresh else []
        command += [word for tag in order.also for word in ("--tag", str(tag))]
        if bundle := host_certificates():
            # There while building, and never in the image: only layers and the application's folder are exported.
            command += ["--volume", f"{bundle}:{CERTIFICATES}:ro"]
            given["SSL_CERT_FILE"] = CERTIFICATES
        command += [word for name in given for word in ("--env", name)]
        tools.run(command, each, environment={**docker, **_VOLUME_KEY, **given})
        return (registry().digest(order.tag) or "") if order.push else ""
