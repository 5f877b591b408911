"""Docker and buildah with a generated Dockerfile, for who has no builder."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from modelwright.images import credentials, tools
from modelwright.images.engines import daemon
from modelwright.images.engines.in_buildah import isolation
from modelwright.images.errors import ImageError
from modelwright.images.order import Lines, Order, host_certificates
from modelwright.images.reference import parse
from modelwright.images.registry import registry

PUSHING: Final = "PUSHING"
"""A phase of ours, written as the lifecycle writes its own."""
_NO_BASE: Final = re.compile(
    r"pinging container registry|pull access denied|manifest unknown|failed to resolve|Client.Timeout|reading manifest"
)


class Docker:
    """`docker build`, classic or BuildKit, whichever the client has."""

    name = "docker"
    what = "Docker with a generated Dockerfile"

    def unfit(self, order: Order) -> str | None:
        """See `order.Engine`."""
        if shutil.which("docker") is None:
            return "docker is not on PATH: install it (package `docker.io`, or docs.docker.com/engine/install)"
        return None if daemon.environment() is not None else f"no Docker daemon answers: {daemon.REMEDY}"

    def build(self, order: Order, each: Lines) -> str:
        """See `order.Engine`."""
        tags = [str(tag) for tag in (order.tag, *order.also)]
        with _context(order) as (folder, given):
            command = ["docker", "build", "--network", "host", "--force-rm", *_options(order, given, tags), str(folder)]
            # BuildKit draws on a terminal and is silent without --progress, which the classic builder does not know.
            _run(command, each, {"BUILDKIT_PROGRESS": "plain", **given}, order)
        if not order.push:
            return ""
        # By Docker's own login; the last that it writes is the tag.
        for tag in tags:
            each(f"===> {PUSHING}")
            tools.run(["docker", "push", tag], each)
        return registry().digest(order.tag) or ""


class Buildah:
    """`buildah build`, or podman's, which is the same."""

    name = "buildah"
    what = "buildah with a generated Dockerfile, without a daemon"

    def unfit(self, order: Order) -> str | None:
        """See `order.Engine`."""
        return None if _program() else "neither buildah nor podman is on PATH: install one (package `buildah`)"

    def build(self, order: Order, each: Lines) -> str:
        """See `order.Engine`."""
        tags = [str(tag) for tag in (order.tag, *order.also)]
        bases = [parse(image) for image in (order.base, order.build_base) if image]
        verify = "--tls-verify=" + str(not any(base.plain_http() for base in bases)).lower()
        with _context(order) as (folder, given), credentials.authfile(*(base.host for base in bases)) as logins:
            options = ["--isolation", isolation(), "--layers", verify, *logins, *_options(order, given, tags)]
            _run([_program(), "build", *options, str(folder)], each, given, order)
        if not order.push:
            return ""
        for tag in tags:
            each(f"===> {PUSHING}")
            verify = "--tls-verify=" + str(not order.tag.plain_http()).lower()
            with credentials.authfile(order.tag.host) as logins:
                tools.run([_program(), "push", verify, *logins, tag], each)
        return registry().digest(order.tag) or ""


def _run(command: list[str], each: Lines, given: dict[str, str], order: Order) -> None:
    try:
        tools.run(command, each, environment=given)
    except tools.ToolFailed as error:
        if any(_NO_BASE.search(line) for line in error.lines):
            named = order.base or "Python's own from Docker Hub"
            raise ImageError(
                f"the base image ({named}) cannot be had: {error.lines[-1]}\nname another with --base, and with "
                "--build-base one that has the same Python, and uv or pip"
            ) from None
        raise


def _program() -> str:
    return next((name for name in ("buildah", "podman") if shutil.which(name)), "")


@contextmanager
def _context(order: Order) -> Iterator[tuple[Path, dict[str, str]]]:
    """Lay the folder, a Dockerfile and what that needs beside it into a folder of the build's own."""
    # A third of all that `build` imports, and a builder's engines do without it.
    from modelwright.images import dockerfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="modelwright-build-") as scratch:
        plan = dockerfile.plan(
            order.folder,
            base=order.base,
            build_base=order.build_base,
            wheel=order.wheel,
            certificates=host_certificates(),
            with_weights=order.with_weights,
            arguments=tuple(order.build_environment()),
        )
        folder = Path(scratch)
        plan.stage(folder)
        given = order.build_environment()
        yield folder, {name: value for name, value in given.items() if name in plan.arguments}


def _options(order: Order, given: dict[str, str], tags: list[str]) -> list[str]:
    # By name only, so that no value shows in a list of processes.
    named = [word for name in given for word in ("--build-arg", name)]
    return [*named, *(["--no-cache"] if order.fresh else []), *(word for tag in tags for word in ("--tag", tag))]
