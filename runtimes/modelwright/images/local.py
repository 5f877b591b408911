"""Images and containers of this machine: what keeps them, pushes them and runs them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from modelwright.images import credentials, tools
from modelwright.images.engines import daemon
from modelwright.images.errors import ImageError
from modelwright.images.registry import registry
from modelwright.registry.reference import Reference

_STORES: Final = ("docker", "podman", "nerdctl", "buildah")
_RUNTIMES: Final = ("docker", "podman", "nerdctl")
_MODELS: Final = "/mnt/models"


@dataclass(frozen=True)
class Container:
    """What `modelwright run IMAGE` was asked for. `ports` and `variables` are written as docker has them."""

    image: Reference
    ports: Sequence[str] = ()
    variables: Sequence[str] = ()
    weights: Path | None = None
    cpus: str = ""
    memory: str = ""
    user: str = ""
    network: str = ""
    arguments: Sequence[str] = field(default_factory=tuple)


def push(image: Reference, store: str, each: Callable[[str], None]) -> str:
    """Push an image and give its digest.

    Raises:
        ImageError: nothing here has it, or the registry refuses it.

    """
    # Its refusals are worded before anything moves.
    asked = registry()
    program = _having(image, store)
    asked.may_push(image)
    if program in ("podman", "buildah"):
        with credentials.authfile(image.host) as logins:
            verify = "--tls-verify=" + str(not image.plain_http()).lower()
            tools.run([program, "push", verify, *logins, str(image)], each)
    else:
        tools.run([program, "push", str(image)], each)
    return asked.digest(image) or ""


def _having(image: Reference, store: str) -> str:
    """Find the program whose images include this one."""
    if store and store not in _STORES:
        raise ImageError(f"--runtime {store} is none of {', '.join(_STORES)}")
    here = [name for name in ([store] if store else _STORES) if shutil.which(name)]
    if not here:
        raise ImageError(f"{store or 'none of ' + ', '.join(_STORES)} is on PATH: install one (package `docker.io`)")
    for name in here:
        if tools.asked([name, "inspect", "--type", "image", str(image)]) is not None:
            return name
    raise ImageError(
        f"{', '.join(here)}: none of these has {image}. Build it first: modelwright build DIR -t {image}; an image "
        "that was built with --push is in its registry already"
    )


def run_command(container: Container, runtime: str, environment: Mapping[str, str]) -> list[str]:
    """Give the command that runs a container in the foreground, by the first runtime that is here.

    It runs as it will in a cluster: nothing writable but /tmp. Raises ImageError where there is no runtime, or a
    value cannot be.
    """
    if runtime and runtime not in _RUNTIMES:
        raise ImageError(f"--runtime {runtime} is none of {', '.join(_RUNTIMES)}")
    program = next((name for name in ([runtime] if runtime else _RUNTIMES) if _runs(name)), None)
    if program is None:
        raise ImageError(
            f"{runtime or 'none of ' + ', '.join(_RUNTIMES)} can run an image here: it is not on PATH, or its daemon "
            "does not answer. Install one (package `podman`) or start it; modelwright serve DIR needs none of them"
        )
    words = [program, "run", "--rm", "--read-only", "--tmpfs", "/tmp"]  # noqa: S108 - the container's own
    for name, value in (("cpus", container.cpus), ("memory", container.memory), ("user", container.user),
                        ("network", container.network)):  # fmt: skip
        words += [f"--{name}={value}"] if value else []
    words += [word for port in container.ports for word in ("--publish", port)]
    words += _variables(container.variables, environment)
    if container.weights is not None:
        if not container.weights.is_dir():
            raise ImageError(f"--weights {container.weights} is no folder: name the one to mount at {_MODELS}")
        words += ["--volume", f"{container.weights.resolve()}:{_MODELS}:ro"]
    return [*words, str(container.image), *container.arguments]


def _runs(name: str) -> bool:
    return shutil.which(name) is not None and (name != "docker" or daemon.environment() is not None)


def _variables(given: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    words = []
    for text in given:
        name, equals, _ = text.partition("=")
        if not name or (not equals and name not in environment):
            raise ImageError(f"-e {text}: there is no such variable here; write -e NAME=VALUE")
        words += ["--env", text]
    return words
