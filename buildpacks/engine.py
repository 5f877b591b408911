"""The Docker daemon that `pack` builds with, and the registry that images go to."""

import os
import subprocess
import sys
from functools import cache

from modelwright.images.errors import ImageError

from cluster.binaries import BuildError
from cluster.golang import GoMissingError
from cluster.info import ClusterError

EXPLAINED = (ImageError, ClusterError, BuildError, GoMissingError)
"""What a command line shows as one line: each of these says what is missing and what to do about it."""


@cache
def environment() -> dict[str, str]:
    """DOCKER_HOST for `docker` and `pack`: the caller's, else the one the test cluster finds or starts."""
    if os.environ.get("DOCKER_HOST"):
        return {"DOCKER_HOST": os.environ["DOCKER_HOST"], "DOCKER_BUILDKIT": "0"}
    found = subprocess.run(
        [sys.executable, "-m", "cluster", "docker-host"], stdout=subprocess.PIPE, text=True, check=False
    )
    if found.returncode != 0:
        raise ImageError("there is no Docker daemon to build with; see `python -m cluster docker-host`")
    # BuildKit's plugin is not packaged everywhere, and COPY and RUN need nothing of it.
    return {"DOCKER_HOST": found.stdout.strip(), "DOCKER_BUILDKIT": "0"}


def registry() -> str:
    """Where images are pushed: `MODELWRIGHT_REGISTRY`, else the test cluster's own."""
    return os.environ.get("MODELWRIGHT_REGISTRY", "localhost:5000")


def repository(name: str) -> str:
    """Name the repository of one of our own images, without a tag."""
    return f"{registry()}/modelwright/{name}"
