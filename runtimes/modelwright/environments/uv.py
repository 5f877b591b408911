"""uv, which makes environments: found, run with its lines in the log, its failures told apart."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from modelwright.errors import EnvironmentUnusable

LOGGER = logging.getLogger("modelwright.environments")
# Beyond what the machine's own uv configuration says.
_FIXED: Final = {"UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
# These would lead uv to the server's own environment, or to a project that happens to be around.
_LEFT_OUT: Final = ("VIRTUAL_ENV", "CONDA_PREFIX", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "PYTHONHOME", "UV_PYTHON")
_SECRET: Final = re.compile(r"://[^/@\s]+@")


def find() -> str:
    """Give uv's path: of `uv run` around this process, on PATH, or of the Python package.

    Raises:
        EnvironmentUnusable: there is none.

    """
    around = os.environ.get("UV", "")
    if os.access(around, os.X_OK):
        return around
    on_path = shutil.which("uv")
    if on_path:
        return on_path
    try:
        from uv import find_uv_bin  # type: ignore[import-not-found]  # noqa: PLC0415 - an optional package

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        raise EnvironmentUnusable(
            "making a model's environment needs uv, which is not on PATH: pip install uv, or name a packed environment "
            "(environment_tarball) or one that is there (environment_path)"
        ) from None


def run(arguments: Sequence[str], source: str, *, cwd: Path | None = None, **environment: str) -> None:
    """Run uv to its end, its lines going to the log; raises EnvironmentUnusable with what its failure means."""
    inherited = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    process = subprocess.Popen(
        [find(), *arguments],
        cwd=cwd,
        env={**inherited, **_FIXED, **environment},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    lines = []
    with process:
        for line in process.stdout or ():
            lines.append(line)
            LOGGER.debug("uv: %s", _SECRET.sub("://...@", line.rstrip()))
    if process.returncode:
        raise EnvironmentUnusable(explain(source, _SECRET.sub("://...@", "".join(lines))))


def python(wanted: str, source: str) -> str:
    """Find an interpreter of a version; raises EnvironmentUnusable where there is none, nor one to be had."""
    inherited: Mapping[str, str] = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    done = subprocess.run(
        [find(), "python", "find", "--no-project", wanted],
        env={**inherited, **_FIXED},
        text=True,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise EnvironmentUnusable(explain(source, done.stderr))
    return done.stdout.strip()


def explain(source: str, output: str) -> str:
    """Say what a failure of uv means to whoever wrote `source`."""
    said = " ".join(output.split())
    if match := re.search(r"Because (\S+) was not found in the package registry", said):
        return (
            f"{source}: {match[1]}: there is no package of that name on the Python package index; correct the name, "
            "or, where it is conda's alone, pack the environment with conda-pack and name the tarball instead"
        )
    if re.search(r"[Nn]o interpreter found|No download found|python-build-standalone", said):
        return (
            f"{source}: no Python that fits is here or can be had; install it, or ask for one that is: {_last(output)}"
        )
    if re.search(r"lockfile .*needs to be updated|Unable to find lockfile", said, re.IGNORECASE):
        return f"{source} does not fit its pyproject.toml; run uv lock and try again"
    if re.search(
        r"error sending request|dns error|tls handshake|invalid peer certificate|timed out", said, re.IGNORECASE
    ):
        return (
            f"{source}: the package index cannot be reached: {_last(output)}; check the network, UV_INDEX_URL and "
            "SSL_CERT_FILE, or name a packed environment (environment_tarball)"
        )
    if match := re.search(r"No solution found.*?(Because .*)", said):
        return f"{source}: the requirements cannot be had together: {match[1]}"
    return f"{source}: uv could not make the environment: {_last(output)}"


def _last(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith("warning")]
    return " ".join(lines[-3:]) or "it said nothing"
