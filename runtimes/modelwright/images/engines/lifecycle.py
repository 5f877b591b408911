"""The builder's own lifecycle, run in the builder's image by buildah: no daemon, and straight to the registry."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from modelwright.images import content, credentials, tools
from modelwright.images.engines.pack import NO_BUILDER
from modelwright.images.errors import ImageError
from modelwright.images.order import CERTIFICATES, Lines, Order, host_certificates
from modelwright.images.reference import Reference, parse
from modelwright.images.registry import Registry

_PLATFORM_API: Final = "0.12"
"""Known to every lifecycle since 0.17; the run image is then found in the builder's run.toml."""
_REVISION: Final = ("HEAD", "config", "packed-refs", "refs")
"""What of `.git` says which commit is checked out; the buildpack makes labels of it."""


class Lifecycle:
    """`creator` in a container of buildah's; the layers that it reuses stay where they are, in the registry."""

    name = "lifecycle"
    what = "the builder's phases by its own lifecycle in buildah, without a daemon, straight to the registry"

    def unfit(self, order: Order) -> str | None:
        """See `order.Engine`."""
        if not order.builder:
            return NO_BUILDER
        if not order.push:
            return "without a daemon the image goes straight to a registry: add --push"
        return None if shutil.which("buildah") else "buildah is not on PATH: install it (package `buildah`)"

    def build(self, order: Order, each: Lines) -> str:
        """See `order.Engine`."""
        with tempfile.TemporaryDirectory(prefix="modelwright-build-") as scratch, _container(order) as container:
            folder = Path(scratch)
            _stage(order, folder)
            user, group = _user(container)
            for name in ("app", "platform"):
                place = {"app": "/workspace", "platform": "/platform"}[name]
                owner = f"{user}:{group}"
                tools.run(["buildah", "copy", "--quiet", "--chown", owner, container, str(folder / name), place])
            command = ["buildah", "run", "--isolation", isolation(), "--user", "0:0"]
            command += ["--env", f"CNB_PLATFORM_API={_PLATFORM_API}", *_mounts(order, folder), container, "--"]
            tools.run([*command, *_creator(order, user, group)], each)
        return Registry(order.tag).digest() or ""


def isolation() -> str:
    """Give buildah's isolation: the one that needs no privilege that a container or a CI job has not."""
    return os.environ.get("BUILDAH_ISOLATION", "chroot")


@contextmanager
def _container(order: Order) -> Iterator[str]:
    builder = parse(order.builder)
    pull = ["buildah", "from", "--quiet", "--pull-always", f"--tls-verify={str(not builder.plain_http).lower()}"]
    made: list[str] = []
    try:
        with credentials.authfile(builder.host) as logins:
            tools.run([*pull, *logins, order.builder], made.append)
    except tools.ToolFailed as error:
        raise ImageError(
            f"the builder {order.builder} cannot be had ({error.lines[-1] if error.lines else 'no reason given'}): "
            "check its name, and `docker login` where it is private"
        ) from None
    container = made[-1]
    try:
        yield container
    finally:
        tools.asked(["buildah", "rm", container])


def _user(container: str) -> tuple[str, str]:
    """Find the user that builds, which the builder's image has in its environment (Platform specification)."""
    listed = tools.asked(
        ["buildah", "inspect", "--format", "{{range .OCIv1.Config.Env}}{{println .}}{{end}}", container]
    )
    found = dict(line.partition("=")[::2] for line in (listed or "").splitlines())
    try:
        return found["CNB_USER_ID"], found["CNB_GROUP_ID"]
    except KeyError:
        raise ImageError(
            "the builder's image has no CNB_USER_ID and CNB_GROUP_ID, so it is no builder: name one with --builder"
        ) from None


def _stage(order: Order, scratch: Path) -> None:
    """Lay out what the container gets: the folder's files, the build's variables, and logins."""
    content.copy(order.folder, scratch / "app", ignored=content.LEFT_OUT)
    for name in _REVISION:
        origin, copied = order.folder / ".git" / name, scratch / "app" / ".git" / name
        if origin.is_dir():
            shutil.copytree(origin, copied)
        elif origin.is_file():
            copied.parent.mkdir(exist_ok=True)
            shutil.copy2(origin, copied)
    variables = scratch / "platform" / "env"
    variables.mkdir(parents=True)
    certificates = {"SSL_CERT_FILE": CERTIFICATES} if host_certificates() else {}
    for name, value in {**order.build_environment(), **certificates}.items():
        (variables / name).write_text(value, encoding="utf-8")
    logins = scratch / "logins"
    logins.mkdir(mode=0o700)
    credentials.write((order.tag.host, parse(order.builder).host), logins / "config.json")


def _mounts(order: Order, scratch: Path) -> list[str]:
    # Root's alone: the lifecycle reads the logins before it becomes the user that buildpacks run as.
    mounts = [f"{scratch / 'logins'}:/root/.docker:ro", f"{_cache(order.tag, fresh=order.fresh)}:/cache"]
    if bundle := host_certificates():
        mounts.append(f"{bundle}:{CERTIFICATES}:ro")
    return ["--env", "DOCKER_CONFIG=/root/.docker", *(word for each in mounts for word in ("--volume", each))]


def _cache(tag: Reference, *, fresh: bool) -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "modelwright" / "build-caches" / hashlib.sha256(tag.name.encode()).hexdigest()[:24]
    if fresh and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _creator(order: Order, user: str, group: str) -> list[str]:
    words = [
        "/cnb/lifecycle/creator",
        "-no-color",
        "-app",
        "/workspace",
        "-layers",
        "/layers",
        "-platform",
        "/platform",
    ]
    words += ["-cache-dir", "/cache", "-uid", user, "-gid", group]
    words += ["-run-image", order.run_image] if order.run_image else []
    words += ["-skip-restore"] if order.fresh else []
    return [*words, *(word for tag in order.also for word in ("-tag", str(tag))), str(order.tag)]
