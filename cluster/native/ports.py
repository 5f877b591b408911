"""Local TCP ports of a cluster: chosen once, remembered in its state folder."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path


def is_free(port: int) -> bool:
    """Say whether nothing listens on the port on any address of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A port whose last connections are in TIME_WAIT is free for a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - nothing is served here: a listener on any address must be seen
        except OSError:
            return False
        return True


def answers(host: str, port: int, timeout: float = 1.0) -> bool:
    """Say whether something accepts a connection there."""
    try:
        with socket.create_connection((host, port), timeout=timeout):
            return True
    except OSError:
        return False


def allocate(file: Path, wanted: Mapping[str, int]) -> dict[str, int]:
    """Return a port for each name, the one in the file if there is one, and write the file.

    `wanted` holds the preferred port by name; another free one replaces it where it is taken, and 0
    means any free port.
    """
    known: dict[str, int] = {}
    if file.is_file():
        known = {str(name): int(port) for name, port in json.loads(file.read_text(encoding="utf-8")).items()}
    chosen = {name: known[name] for name in wanted if name in known}
    for name, port in wanted.items():
        if name not in chosen:
            usable = port and port not in chosen.values() and is_free(port)
            chosen[name] = port if usable else _any(set(chosen.values()))
    merged = {**known, **chosen}
    if merged != known:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(merged, indent=1), encoding="utf-8")
    return chosen


def _any(taken: set[int]) -> int:
    """Return a free port below the kernel's range for outgoing connections, which could take it at any time."""
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        start = 10000 + int(probe.getsockname()[1]) % 10000
    for port in range(start, max(low, start + 5000)):
        if port not in taken and is_free(port):
            return port
    raise RuntimeError("no free TCP port from 10000 up: stop what listens there and try again")
