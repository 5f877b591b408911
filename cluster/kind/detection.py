"""Can kind work here? Tried, not guessed: daemon, privileged container, node image."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from cluster.binaries import ensure
from cluster.docker import host_daemon
from cluster.kind.config import node_image

_PROBE_IMAGE = "modelwright/privileged-probe:latest"
_PULL_SECONDS = 600


@dataclass(frozen=True)
class Verdict:
    """Whether kind can work on this machine, and in a few words why not."""

    usable: bool
    reason: str


def verdict() -> Verdict:
    """Try what kind needs, the cheap things first; the node image is pulled if the rest works."""
    address = host_daemon()
    if address is None:
        return Verdict(False, "no Docker daemon answers")
    kind = ensure("kind") / "kind"
    refused = privileged_refusal(address, kind)
    if refused:
        return Verdict(False, f"Docker runs no privileged container: {refused}")
    image = node_image()
    lacking = _lacks(address, image)
    if lacking:
        return Verdict(False, f"the node image {image} cannot be had: {lacking}")
    return Verdict(True, "privileged containers run and the node image is here")


def privileged_refusal(address: str, binary: Path) -> str:
    """Run `binary`, a static one, in a privileged container; return "" or the daemon's refusal."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(binary, arcname="probe")
    _docker(address, "import", "-", _PROBE_IMAGE, stdin=archive.getvalue())
    try:
        run = ("run", "--rm", "--privileged", "--network=none", _PROBE_IMAGE, "/probe", "version")
        return _docker(address, *run, timeout=60)
    finally:
        _docker(address, "rmi", "--force", _PROBE_IMAGE)


def _lacks(address: str, image: str) -> str:
    """Return "" once the image is on the daemon, else why it is not."""
    if not _docker(address, "image", "inspect", image):
        return ""
    return _docker(address, "pull", image, timeout=_PULL_SECONDS)


def _docker(address: str, *arguments: str, stdin: bytes | None = None, timeout: float = 30.0) -> str:
    """Run docker at the address; return "" when it succeeds, else the last line of what it said."""
    try:
        result = subprocess.run(
            ["docker", "--host", address, *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=timeout,
        )
    except FileNotFoundError:
        return "the docker command is not installed"
    except subprocess.TimeoutExpired:
        return f"`docker {arguments[0]}` took more than {timeout:.0f} s"
    if result.returncode == 0:
        return ""
    return reason(result.stderr.decode(errors="replace")) or f"exit status {result.returncode}"


def reason(stderr: str) -> str:
    """Return the line of docker's words that says what went wrong: the first with "error" in it, else the last."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "")
