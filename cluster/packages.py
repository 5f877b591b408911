"""Debian packages that a cluster needs: looked for by what they bring, installed as root, else named."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.info import ClusterError
from cluster.paths import cache_folder
from cluster.progress import say

# Package -> the files or commands that show it is there, any one of them: a tool from elsewhere (docker-ce, a
# tarball) is as good as Debian's, and installing Debian's beside it would take it away.
PROBES: dict[str, tuple[str, ...]] = {
    "buildah": ("buildah",),
    "busybox-static": ("/bin/busybox", "/usr/bin/busybox"),
    "ca-certificates": ("/etc/ssl/certs/ca-certificates.crt",),
    "conntrack": ("conntrack",),
    "containerd": ("containerd",),
    "containernetworking-plugins": ("/usr/lib/cni/bridge", "/opt/cni/bin/bridge"),
    "curl": ("curl",),
    "debian-archive-keyring": ("/usr/share/keyrings/debian-archive-keyring.gpg",),
    "debootstrap": ("debootstrap",),
    "docker-registry": ("docker-registry", "registry"),
    "docker.io": ("dockerd",),
    "gcc": ("gcc",),
    "git": ("git",),
    "iproute2": ("ip",),
    "iptables": ("iptables",),
    "kmod": ("modprobe",),
    "libc6-dev": ("/usr/include/stdio.h", "/usr/include/linux/limits.h"),
    "mount": ("mount",),
    "openssh-client": ("ssh-keygen",),
    "openssh-server": ("sshd",),
    "procps": ("sysctl",),
    "python3-dev": tuple(f"/usr/include/python3.{minor}/Python.h" for minor in (11, 12, 13)),
    "runc": ("runc",),
    "skopeo": ("skopeo",),
    "socat": ("socat",),
    "umoci": ("umoci",),
    "valgrind": ("valgrind",),
}

# An administrator's commands are not on every user's PATH.
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/local/sbin"])
_POLICY = Path("/usr/sbin/policy-rc.d")


class PackagesMissingError(ClusterError):
    """Packages are missing and could not be installed; the message holds the command that installs them."""


def missing(names: tuple[str, ...]) -> list[str]:
    """Return the packages of which this machine has no trace; KeyError for one that PROBES does not know."""
    return [name for name in names if not any(_present(probe) for probe in PROBES[name])]


def _present(probe: str) -> bool:
    return Path(probe).exists() if probe.startswith("/") else shutil.which(probe, path=_PATH) is not None


def require(*names: str) -> None:
    """Install what is missing of the packages; raises PackagesMissingError where that cannot be done."""
    wanted = missing(names)
    if not wanted:
        return
    install = f"apt-get install -y --no-install-recommends {' '.join(wanted)}"
    if shutil.which("apt-get") is None:
        raise PackagesMissingError(f"install the equivalents of these Debian packages: {' '.join(wanted)}")
    if os.geteuid() != 0:
        raise PackagesMissingError(f"packages are missing; install them: sudo {install}")
    with _alone():
        _install(tuple(wanted), install)


def _install(names: tuple[str, ...], install: str) -> None:
    wanted = missing(names)
    if not wanted:
        return  # Another process, a test run's other worker for one, has had the same wish.
    say(f"installing packages: {' '.join(wanted)}")
    with _services_stay_off():
        # The lists are refreshed only when the first try fails: it may take longer than the installation.
        if _apt(install.split()).returncode:
            _apt(["apt-get", "update"])
            result = _apt(install.split())
            if result.returncode:
                raise PackagesMissingError(f"`{install}` failed:\n{result.stdout[-2000:]}")
    left = missing(tuple(wanted))
    if left:
        raise PackagesMissingError(f"{' '.join(left)}: installed, and yet {PROBES[left[0]]} are not there")


def _apt(command: list[str]) -> subprocess.CompletedProcess[str]:
    # Remove=false: rather fail than take away what somebody installed.
    options = ["-o", "APT::Get::Remove=false", "-o", "DPkg::Lock::Timeout=120"]
    return subprocess.run(
        [command[0], *options, *command[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock: of two processes one would start the services that the other still keeps off."""
    path = cache_folder() / "packages.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """Keep apt from starting what it installs as services: policy-rc.d is Debian's way to say so."""
    ours = not _POLICY.exists()
    if ours:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)
