"""A real sshd with git behind it, for this user alone, on a port of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.packages import require

DEADLINE = 60.0
CONFIG = """
ListenAddress {address}
Port {port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/client.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
{more}
"""


class Sshd:
    """Where it listens, and the Secret's two files that open it: `key` and `known_hosts`."""

    def __init__(self, folder: Path, address: str, port: int) -> None:
        self.address, self.port = address, port
        self.key = (folder / "client").read_text()
        self.known_hosts = f"[{address}]:{port} {(folder / 'host.pub').read_text()}"

    def url(self, path: Path) -> str:
        return f"ssh://{getpass.getuser()}@{self.address}:{self.port}{path}"


@contextmanager
def running(folder: Path, address: str = "127.0.0.1", more: str = "AcceptEnv GIT_PROTOCOL") -> Iterator[Sshd]:
    """Run sshd until the block ends; `more` are further lines of its configuration."""
    require("git", "openssh-client", "openssh-server")
    folder.mkdir()
    for name in ("host", "client"):
        keygen(folder / name)
    with socket.socket() as free:
        free.bind((address, 0))
        port = free.getsockname()[1]
    (folder / "config").write_text(CONFIG.format(address=address, port=port, folder=folder, more=more))
    if os.geteuid() == 0:
        # Where sshd of root locks itself in; what starts it as a service would have made it.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "sshd"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "config")], stderr=log)
        try:
            _answers(process, address, port, folder / "log")
            yield Sshd(folder, address, port)
        finally:
            process.terminate()
            process.wait(DEADLINE)


def keygen(path: Path, passphrase: str = "", kind: str = "ed25519") -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", str(path)], check=True)


def _answers(process: subprocess.Popen[bytes], address: str, port: int, log: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with socket.create_connection((address, port), 1) as connection:
                connection.settimeout(5)
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"sshd never answered: {log.read_text()}")
