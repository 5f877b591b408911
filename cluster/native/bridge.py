"""The node's bridge and the kernel settings that pods need; both are put back as they were."""

from __future__ import annotations

import ipaddress
import json
import shutil
import subprocess
from pathlib import Path

from cluster.info import ClusterError
from cluster.native.addresses import Network

NAME = "modelwright0"

_LINK = Path("/sys/class/net") / NAME

_WANTED = {
    "net/ipv4/ip_forward": "1",
    "net/bridge/bridge-nf-call-iptables": "1",
}
# What kube-proxy and the kubelet set by themselves.
_TOUCHED = (
    "net/ipv4/conf/all/route_localnet",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)


def owner() -> Path | None:
    """Return the state folder of the cluster that has the bridge, None when there is no bridge."""
    alias = _LINK / "ifalias"
    return Path(alias.read_text(encoding="utf-8").strip()) if alias.is_file() else None


def create(network: Network, state: Path) -> None:
    """Make the bridge with the node's address on it, unless it is there.

    It exists before the first pod, so that every process can listen on the address from the start. Raises ClusterError
    when the cluster of another state folder has it: there can be one node on a machine.
    """
    holder = owner()
    if holder not in (None, state):
        remedy = f"MODELWRIGHT_STATE={holder.parent} make cluster-down"
        raise ClusterError(f"this machine is the node of another cluster; remove that one: {remedy}")
    if holder is None:
        # A fixed hardware address: the kernel's choice would change with every pod that joins.
        hardware = "0a:58:" + ":".join(f"{part:02x}" for part in ipaddress.IPv4Address(network.address).packed)
        _ip("link", "add", NAME, "address", hardware, "type", "bridge")
        _ip("link", "set", NAME, "alias", str(state))
    prefix = network.node_range.partition("/")[2]
    _ip("address", "replace", f"{network.address}/{prefix}", "dev", NAME)
    _ip("link", "set", NAME, "up")
    # Addresses of Services exist only as rules of kube-proxy. While a rule is missing, packets to one must end here
    # and not leave the machine, where somebody else may answer; and a machine without a default route must reach them.
    _ip("route", "replace", network.service_range, "dev", NAME, "src", network.address)


def remove() -> None:
    """Remove the bridge and the host ends of what was attached to it."""
    ports = _LINK / "brif"
    if ports.is_dir():
        for port in sorted(ports.iterdir()):
            subprocess.run(["ip", "link", "delete", port.name], capture_output=True, check=False)
    if _LINK.exists():
        _ip("link", "delete", NAME)


def configure_kernel(saved: Path) -> None:
    """Set what pods' traffic needs, and remember what was there before in the file `saved`."""
    # A kernel without modules has no modprobe; what is missing then is seen where it is needed.
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "-q", "-a", "br_netfilter", "overlay"], capture_output=True, check=False)
    if not saved.is_file():
        before = {name: value for name in (*_WANTED, *_TOUCHED) if (value := _read(name)) is not None}
        saved.write_text(json.dumps(before, indent=1), encoding="utf-8")
    for name, value in _WANTED.items():
        if _read(name) not in (None, value):
            _path(name).write_text(value, encoding="ascii")


def restore_kernel(saved: Path) -> None:
    """Put the settings back that the file remembers."""
    if saved.is_file():
        for name, value in json.loads(saved.read_text(encoding="utf-8")).items():
            if _read(name) not in (None, value):
                _path(name).write_text(value, encoding="ascii")


def _path(name: str) -> Path:
    return Path("/proc/sys") / name


def _read(name: str) -> str | None:
    try:
        return _path(name).read_text(encoding="ascii").strip()
    except OSError:
        return None


def _ip(*arguments: str) -> None:
    result = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {result.stderr.strip()}")
