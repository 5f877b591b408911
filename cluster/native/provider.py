"""The native provider: brings the parts up in order, and takes every trace of them away."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster import binaries
from cluster.gateway import gateway_crds
from cluster.info import ClusterError, ClusterInfo, Gateway, NotRunningError
from cluster.native import addons, busybox, control_plane, ingress, manifests, node, registry, removal, storage
from cluster.native.addresses import LOOPBACK, Network, remembered
from cluster.native.control_plane import ControlPlane
from cluster.native.parts import Parts
from cluster.native.ports import allocate
from cluster.native.processes import Supervisor
from cluster.native.waiting import Report, print_progress
from cluster.packages import require
from cluster.paths import state_folder

PACKAGES = (
    "busybox-static",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "docker-registry",
    "iproute2",
    "iptables",
    "mount",
    "runc",
    "socat",
)
BINARIES = (*control_plane.BINARIES, *node.BINARIES, *addons.BINARIES, *ingress.BINARIES, *storage.BINARIES)
PORTS = {**control_plane.PORTS, **node.PORTS, **addons.PORTS, **ingress.PORTS}

_SOCKET_PATH_LIMIT = 107  # bytes; unix(7): sun_path holds 108 with the closing zero


class NativeProvider:
    """A Kubernetes of host processes, one node; the bare control plane is a second, independent one."""

    def __init__(self, state: Path | None = None, report: Report | None = None) -> None:
        self._state = state or state_folder()
        self._bare_state = self._state.with_name("control-plane")
        self._report = report or print_progress

    @property
    def name(self) -> str:
        """Return `native`."""
        return "native"

    def up(self, control_plane: bool) -> ClusterInfo:
        """Start what does not run; raises ClusterError with the remedy or with the last log lines."""
        return self._up_bare() if control_plane else self._up_whole()

    def down(self) -> None:
        """Remove both clusters with all that they left on this machine."""
        for state in (self._bare_state, self._state):
            if state.exists():
                removal.remove(state, self._report)

    def info(self) -> ClusterInfo:
        """Describe the whole cluster; raises NotRunningError when its API server does not run."""
        if Supervisor(self._state).running("kube-apiserver") is None:
            raise NotRunningError
        return self._describe(self._whole())

    def registry(self) -> str:
        """Start the registry alone and return its address; raises ClusterError when its port is taken."""
        require("docker-registry")
        registry.Registry(self._state).up(Supervisor(self._state), self._report)
        return registry.ADDRESS

    def host_address(self) -> str:
        """Return the node's address, which is this machine's own and which pods reach."""
        return remembered(self._state / "network.json").address

    def _up_bare(self) -> ClusterInfo:
        folder = binaries.ensure(*control_plane.BINARIES)
        # Any free ports: the preferred ones stay for the whole cluster.
        ports = allocate(self._bare_state / "ports.json", dict.fromkeys(control_plane.PORTS, 0))
        plane = ControlPlane(state=self._bare_state, binaries=folder, ports=ports, network=LOOPBACK, has_node=False)
        plane.up(Supervisor(self._bare_state), self._report)
        return ClusterInfo(provider=self.name, kubeconfig=plane.kubeconfig, bin=folder)

    def _up_whole(self) -> ClusterInfo:
        if os.geteuid() != 0:
            raise ClusterError(
                "only root can start a node: run this as root, or take `--control-plane`, which has none"
            )
        if len(str(self._state / "containerd" / "state" / "containerd.sock.ttrpc")) > _SOCKET_PATH_LIMIT:
            raise ClusterError(
                f"{self._state} is too long a path for unix sockets: set MODELWRIGHT_STATE to a shorter one"
            )
        require(*PACKAGES)
        begun = time.monotonic()
        folder = binaries.ensure(*BINARIES)
        whole = self._whole(folder)
        started = whole.up(self._report)
        self._report(f"cluster up in {time.monotonic() - begun:.1f} s" if started else "cluster is up")
        return self._describe(whole)

    def _whole(self, folder: Path | None = None) -> _Whole:
        return _Whole(
            state=self._state,
            binaries=folder or binaries.folder(),
            ports=allocate(self._state / "ports.json", PORTS),
            network=remembered(self._state / "network.json"),
        )

    def _describe(self, whole: _Whole) -> ClusterInfo:
        return ClusterInfo(
            provider=self.name,
            kubeconfig=whole.state / "kubeconfig",
            bin=whole.binaries,
            ingress_url=f"http://127.0.0.1:{whole.ports['ingress']}",
            ingress_class_name=ingress.CLASS,
            gateway=Gateway(ingress.GATEWAY, ingress.NAMESPACE),
            registry=registry.ADDRESS,
            pod_registry=registry.pod_address(whole.network.address),
            storage_class=storage.CLASS,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """The whole cluster's parts, wired to each other."""

    state: Path
    binaries: Path
    ports: dict[str, int]
    network: Network

    def up(self, report: Report) -> bool:
        """Bring all parts up; return whether anything had to be started."""
        supervisor = Supervisor(self.state, environment(os.environ, self.network))
        before = {name: supervisor.running(name) for name in supervisor.names()}
        plane = ControlPlane(
            state=self.state, binaries=self.binaries, ports=self.ports, network=self.network, has_node=True
        )
        the_node = node.Node(
            state=self.state,
            binaries=self.binaries,
            ports=self.ports,
            network=self.network,
            sandbox_image=busybox.reference(registry.ADDRESS),
            registry=registry.ADDRESS,
            server=plane.server,
        )
        the_node.prepare()
        registry.Registry(self.state).up(supervisor, report)
        registry.Registry(self.state).up_for_pods(self.network.address, supervisor, report)
        busybox.push(busybox.build(), registry.ADDRESS)
        administrator = plane.up(supervisor, report)
        the_node.start(supervisor, report)
        parts = Parts(
            state=self.state, binaries=self.binaries, ports=self.ports, network=self.network, server=plane.server
        )
        if manifests.install(administrator, gateway_crds(), manifests.render(self._values(parts))):
            report("add-ons' definitions, rights and services applied")
        for command in (*addons.commands(parts), *storage.commands(parts), *ingress.commands(parts)):
            if supervisor.ensure(command):
                report(f"{command.name} started")
        the_node.wait(administrator, supervisor, report)
        ingress.wait(parts, administrator, supervisor, report)
        addons.wait(parts, administrator, supervisor, report)
        return before != {name: supervisor.running(name) for name in supervisor.names()}

    def _values(self, parts: Parts) -> dict[str, str | int]:
        """Return what the manifests leave open."""
        return {
            "address": self.network.address,
            "dns_service": self.network.dns_service,
            "dns_port": self.ports["dns"],
            "metrics_port": self.ports["metrics-server"],
            "ca_bundle": base64.b64encode(parts.authority().path.read_bytes()).decode("ascii"),
            "ingress_port": self.ports["ingress"],
            "volumes": str(self.state / "volumes"),
            "helper_image": busybox.reference(registry.ADDRESS),
        }


def environment(inherited: Mapping[str, str], network: Network) -> dict[str, str]:
    """Return what the processes' environment must have besides the inherited one.

    A proxy that the user has set is for the world outside, never for pods, Services or the node; and the tools that
    change the network are not on every user's PATH.
    """
    direct = [
        "localhost",
        "127.0.0.1",
        network.address,
        network.pod_range,
        network.service_range,
        ".svc",
        ".cluster.local",
    ]
    listed = inherited.get("NO_PROXY") or inherited.get("no_proxy") or ""
    no_proxy = ",".join([*(part for part in listed.split(",") if part), *direct])
    path = os.pathsep.join([inherited.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    return {"NO_PROXY": no_proxy, "no_proxy": no_proxy, "PATH": path}
