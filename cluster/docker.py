"""A Docker daemon for building images: the host's where one answers, else our own in the state folder."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from cluster.info import ClusterError
from cluster.native import cgroups
from cluster.native.processes import Command, Supervisor
from cluster.native.removal import delete, stop_unnamed
from cluster.packages import require
from cluster.paths import state_folder

_SOCKET_PATH_LIMIT = 107  # bytes; unix(7): sun_path holds 108 with the closing zero


def docker_host() -> str:
    """Return the DOCKER_HOST to build images with; starts our own dockerd where the host has none.

    Raises ClusterError where dockerd cannot be had or does not start.
    """
    return host_daemon() or _own_daemon()


def host_daemon() -> str | None:
    """Address of the daemon that the `docker` command would talk to, None when none answers."""
    address = os.environ.get("DOCKER_HOST") or _context_address() or "unix:///var/run/docker.sock"
    return address if answers(address) else None


def _context_address() -> str:
    """Address of docker's current context; pack itself knows only DOCKER_HOST."""
    docker = shutil.which("docker")
    if docker is None:
        return ""
    command = [docker, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def answers(address: str) -> bool:
    """Say whether a Docker daemon answers at the address within ten seconds."""
    scheme, _, rest = address.partition("://")
    if scheme == "unix":
        return _ping(rest)
    # Other schemes (tcp with certificates, ssh) are the client's business.
    docker = shutil.which("docker")
    command = [docker or "docker", "version", "--format", "{{.Server.Version}}"]
    try:
        environment = {**os.environ, "DOCKER_HOST": address}
        return (
            bool(docker)
            and not subprocess.run(command, capture_output=True, check=False, timeout=10, env=environment).returncode
        )
    except subprocess.TimeoutExpired:
        return False


def _ping(path: str) -> bool:
    connection = http.client.HTTPConnection("localhost", timeout=10)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(10)
            channel.connect(path)
            connection.sock = channel
            connection.request("GET", "/_ping")
            return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False


def stop() -> None:
    """Stop our own dockerd and delete its images and containers; the host's daemon is never touched."""
    supervisor = Supervisor(_folder())
    supervisor.stop("dockerd", grace=30.0)
    if _folder().exists():
        stop_unnamed(_folder())
        delete(_folder())
        cgroups.discard("docker")


def _folder() -> Path:
    return state_folder() / "docker"


def _own_daemon() -> str:
    require("docker.io", "containerd", "runc")
    folder = _folder()
    path = folder / "docker.sock"
    # dockerd's containerd has the longest of the paths.
    if len(str(folder / "exec" / "containerd" / "containerd.sock.ttrpc")) > _SOCKET_PATH_LIMIT:
        raise ClusterError(f"{folder} is too long a path for a unix socket: set MODELWRIGHT_STATE to a shorter folder")
    if os.geteuid() != 0:
        raise ClusterError("no Docker daemon answers, and only root can start one: start Docker, or run this as root")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "daemon.json").write_text("{}")
    supervisor = Supervisor(folder)
    supervisor.ensure(Command(name="dockerd", argv=_arguments(folder, path), grace=30.0))
    address = f"unix://{path}"
    deadline = time.monotonic() + 60
    while not answers(address):
        if supervisor.running("dockerd") is None or time.monotonic() > deadline:
            tail = supervisor.log_tail("dockerd")
            raise ClusterError(f"dockerd does not answer; last lines of {supervisor.log('dockerd')}:\n{tail}")
        time.sleep(0.2)
    return address


def _arguments(folder: Path, path: Path) -> tuple[str, ...]:
    return (
        shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or "dockerd",
        f"--host=unix://{path}",
        f"--data-root={folder / 'data'}",
        f"--exec-root={folder / 'exec'}",
        f"--pidfile={folder / 'dockerd.pid'}",
        # No configuration of the host's, no bridge, no firewall rules: the host's network stays as it is, and
        # builds use the host's (`--network host`).
        f"--config-file={folder / 'daemon.json'}",
        "--bridge=none",
        "--iptables=false",
        "--ip-masq=false",
        "--ip-forward=false",
    )
