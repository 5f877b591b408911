"""The Docker daemon that this machine has, if it has one."""

from __future__ import annotations

import os
import shutil
import socket
from functools import cache
from typing import Final

from modelwright.images import tools

_SOCKET: Final = "/var/run/docker.sock"
REMEDY: Final = "start Docker, or set DOCKER_HOST to where it is"


def environment() -> dict[str, str] | None:
    """Give the DOCKER_HOST by which `pack` finds the daemon that `docker` talks to; None where none answers."""
    if shutil.which("docker") is None:
        return _without_client()
    if not answers():
        return None
    # pack knows nothing of docker's contexts.
    address = os.environ.get("DOCKER_HOST") or tools.asked(
        ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    )
    return {"DOCKER_HOST": address} if address else {}


def answers() -> bool:
    """Whether there is a `docker` command and it reaches a daemon."""
    return _answers(os.environ.get("PATH"), os.environ.get("DOCKER_HOST"))


@cache
def _answers(path: str | None, host: str | None) -> bool:
    """Ask once for what the answer depends on: several engines want to know."""
    return tools.asked(["docker", "version", "--format", "{{.Server.Version}}"]) is not None


def _without_client() -> dict[str, str] | None:
    named = os.environ.get("DOCKER_HOST", f"unix://{_SOCKET}")
    scheme, _, path = named.partition("://")
    if scheme != "unix":
        return {}
    with socket.socket(socket.AF_UNIX) as channel:
        try:
            channel.settimeout(5)
            channel.connect(path)
        except OSError:
            return None
    return {}
