"""The cluster's address ranges, chosen so that they hide nothing that this machine reaches."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

RESOLV_CONFS = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))
"""Where the machine's real name servers stand; systemd-resolved puts only its own stub into the second."""


@dataclass(frozen=True, slots=True)
class Network:
    """Where things of the cluster are found.

    `address` is the node's own, on a bridge that only this machine reaches: it stays the same when the machine
    changes networks, and no other machine can talk to the API server, the kubelet or the name server.
    """

    address: str
    pod_range: str
    node_range: str
    service_range: str
    first_service: str
    dns_service: str


def plan(taken: Iterable[str]) -> Network:
    """Return ranges that overlap none of the taken ones.

    Raises RuntimeError when all candidates are taken.
    """
    used = [ipaddress.ip_network(entry, strict=False) for entry in taken]
    used = [network for network in used if network.version == 4 and network.prefixlen > 0]

    def unused(candidates: Iterable[str]) -> ipaddress.IPv4Network:
        for candidate in map(ipaddress.IPv4Network, candidates):
            if not any(candidate.overlaps(network) for network in used):
                return candidate
        raise RuntimeError("every address range for pods or Services is in use here: see `ip route`")

    pods = unused([*(f"10.{second}.0.0/16" for second in range(244, 250)), "172.30.0.0/16", "198.18.0.0/16"])
    services = unused([*(f"10.{second}.0.0/16" for second in range(96, 104)), "172.29.0.0/16", "198.19.0.0/16"])
    node = next(pods.subnets(new_prefix=22))
    return Network(
        address=str(node[1]),
        pod_range=str(pods),
        node_range=str(node),
        service_range=str(services),
        first_service=str(services[1]),
        dns_service=str(services[10]),
    )


LOOPBACK = Network(
    address="127.0.0.1",
    pod_range="10.244.0.0/16",
    node_range="10.244.0.0/22",
    service_range="10.96.0.0/16",
    first_service="10.96.0.1",
    dns_service="10.96.0.10",
)
"""For a control plane without a node: nothing is routed, so nothing can be hidden."""


def remembered(file: Path) -> Network:
    """Return the network in the file, planning and writing it the first time."""
    if file.is_file():
        return Network(**json.loads(file.read_text(encoding="utf-8")))
    network = plan([*_routes(), *(f"{server}/32" for server in nameservers())])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(network), indent=1), encoding="utf-8")
    return network


def nameservers() -> list[str]:
    """Return the IPv4 name servers of this machine."""
    path = resolv_conf()
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found = [line.split()[1] for line in lines if line.startswith("nameserver ") and len(line.split()) > 1]
    return [server for server in found if ":" not in server]


def resolv_conf() -> Path:
    """Return the file with the machine's real name servers."""
    return next((path for path in RESOLV_CONFS if path.is_file()), RESOLV_CONFS[-1])


def _routes() -> list[str]:
    output = subprocess.run(
        ["ip", "-json", "-4", "route", "show", "table", "all"], capture_output=True, text=True, check=True
    )
    found = [str(route.get("dst", "default")) for route in json.loads(output.stdout or "[]")]
    return [destination for destination in found if destination[0].isdigit()]
