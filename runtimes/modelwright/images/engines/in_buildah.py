"""The lifecycle in a container of buildah's: no daemon, and no privilege that a CI job has not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelwright.images import credentials, tools
from modelwright.images.engines import creator
from modelwright.images.order import CERTIFICATES, Lines, Order, host_certificates
from modelwright.images.reference import parse


def run(order: Order, scratch: Path, each: Lines) -> None:
    """Run the creator on what is staged in `scratch`. Raises ImageError."""
    with _container(order) as container:
        listed = ["buildah", "inspect", "--format", "{{range .OCIv1.Config.Env}}{{println .}}{{end}}", container]
        owner = ":".join(creator.user(tools.asked(listed)))
        for name, place in (("app", creator.APP), ("platform", creator.PLATFORM)):
            tools.run(["buildah", "copy", "--quiet", "--chown", owner, container, str(scratch / name), place])
        command = ["buildah", "run", "--isolation", isolation(), "--user", "0:0", *_options(order, scratch)]
        tools.run([*command, container, "--", *creator.words(order)], each)


def isolation() -> str:
    """Give buildah's isolation: the one that needs no privilege that a container or a CI job has not."""
    return os.environ.get("BUILDAH_ISOLATION", "chroot")


@contextmanager
def _container(order: Order) -> Iterator[str]:
    builder = parse(order.builder)
    pull = ["buildah", "from", "--quiet", "--pull-always", f"--tls-verify={str(not builder.plain_http()).lower()}"]
    made: list[str] = []
    try:
        with credentials.authfile(builder.host) as logins:
            tools.run([*pull, *logins, order.builder], made.append)
    except tools.ToolFailed as error:
        raise creator.no_builder(order.builder, error.lines[-1] if error.lines else "") from None
    container = made[-1]
    try:
        yield container
    finally:
        tools.asked(["buildah", "rm", container])


def _options(order: Order, scratch: Path) -> list[str]:
    mounts = [f"{scratch / 'logins'}:{creator.LOGINS}:ro", f"{_cache(order)}:{creator.CACHE}"]
    if bundle := host_certificates():
        mounts.append(f"{bundle}:{CERTIFICATES}:ro")
    variables = [word for name, value in creator.ENVIRONMENT.items() for word in ("--env", f"{name}={value}")]
    return [*variables, *(word for each in mounts for word in ("--volume", each))]


def _cache(order: Order) -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "modelwright" / "build-caches" / creator.cache(order.tag)
    if order.fresh and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
