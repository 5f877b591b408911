"""The builder's own lifecycle in one call, `creator`: what its container holds, whatever runs that container."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Final

from modelwright.images import content, credentials
from modelwright.images.errors import ImageError
from modelwright.images.order import CERTIFICATES, Order, host_certificates
from modelwright.images.reference import parse
from modelwright.registry.reference import Reference

APP: Final = "/workspace"
PLATFORM: Final = "/platform"
CACHE: Final = "/cache"
LOGINS: Final = "/root/.docker"
"""Root's alone: the lifecycle reads the logins before it becomes the user that buildpacks run as."""
ENVIRONMENT: Final = {"CNB_PLATFORM_API": "0.12", "DOCKER_CONFIG": LOGINS}
"""The API is known to every lifecycle since 0.17; the run image is then found in the builder's run.toml."""
_REVISION: Final = ("HEAD", "config", "packed-refs", "refs")
"""What of `.git` says which commit is checked out; the buildpack makes labels of it."""


def words(order: Order) -> list[str]:
    """Give the command. Whom buildpacks run as it has from the builder's own environment."""
    command = ["/cnb/lifecycle/creator", "-no-color", "-app", APP, "-layers", "/layers", "-platform", PLATFORM]
    command += ["-cache-dir", CACHE]
    command += ["-run-image", order.run_image] if order.run_image else []
    command += ["-skip-restore"] if order.fresh else []
    return [*command, *(word for tag in order.also for word in ("-tag", str(tag))), str(order.tag)]


def stage(order: Order, scratch: Path) -> None:
    """Lay out what the container gets: the folder's files, `app`; the build's variables, `platform`; `logins`."""
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
    for name, value in {**content.variables(order.folder), **order.build_environment(), **certificates}.items():
        (variables / name).write_text(value, encoding="utf-8")
    logins = scratch / "logins"
    logins.mkdir(mode=0o700)
    credentials.write((order.tag.host, parse(order.builder).host), logins / "config.json")


def user(listed: str | None) -> tuple[str, str]:
    """Find the user that builds in the variables of the builder's image (Platform specification). Raises ImageError."""
    found = dict(line.partition("=")[::2] for line in (listed or "").splitlines())
    try:
        return found["CNB_USER_ID"], found["CNB_GROUP_ID"]
    except KeyError:
        raise ImageError(
            "the builder's image has no CNB_USER_ID and CNB_GROUP_ID, so it is no builder: name one with --builder"
        ) from None


def cache(tag: Reference) -> str:
    """Name what is kept from one build of this image to the next."""
    return hashlib.sha256(tag.name.encode()).hexdigest()[:24]


def no_builder(builder: str, reason: str) -> ImageError:
    """Word why the builder's image is not here."""
    return ImageError(
        f"the builder {builder} cannot be had ({reason or 'no reason given'}): check its name, and `docker login` "
        "where it is private"
    )
