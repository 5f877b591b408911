"""The kind provider: creates the cluster, its registry and its add-ons, and describes them."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from cluster.binaries import ensure
from cluster.docker import host_daemon
from cluster.gateway import gateway_crds
from cluster.info import ClusterError, ClusterInfo, Gateway, NotRunningError
from cluster.kind.config import (
    CLUSTER,
    POD_REGISTRY,
    REGISTRY,
    REGISTRY_CONTAINER,
    REGISTRY_PORT,
    cluster_config,
    node_environment,
    node_image,
    registry_hosting,
    registry_hosts,
)
from cluster.native import NativeProvider
from cluster.native.ports import allocate
from cluster.paths import state_folder

_MANIFESTS = Path(__file__).parent
_INGRESS_PORT = 8088
_REGISTRY_IMAGE = "registry:2"
_NODE = f"{CLUSTER}-control-plane"
_NETWORK = "kind"  # the name that kind gives to the Docker network of its nodes


class KindProvider:
    """A cluster of one kind node, with a registry container beside it."""

    name = "kind"

    def up(self, control_plane: bool) -> ClusterInfo:
        """Create what is missing of cluster, registry, add-ons; a bare control plane is host processes."""
        if control_plane:
            # kind has no cluster without a node; the API server of the native provider is the same program.
            return NativeProvider().up(control_plane=True)
        if host_daemon() is None:
            raise ClusterError("no Docker daemon answers: start Docker, or set MODELWRIGHT_CLUSTER=native")
        folder = ensure("kind", "kubectl", "helm", "pack")
        if CLUSTER not in self._clusters():
            self._create(folder / "kind")
        elif self._container_state(_NODE) != "running":
            self._restart(folder / "kubectl")
        self.registry()
        self._connect_registry()
        self._add_ons(folder / "kubectl")
        return self.info()

    def down(self) -> None:
        """Delete the cluster and the registry container; Docker's images stay, they are the host's cache."""
        if host_daemon() is not None:
            if CLUSTER in self._clusters():
                _run([str(ensure("kind") / "kind"), "delete", "cluster", "--name", CLUSTER])
            if self._container_state(REGISTRY_CONTAINER) is not None:
                _docker("rm", "--force", "--volumes", REGISTRY_CONTAINER)
        NativeProvider().down()

    def info(self) -> ClusterInfo:
        """Describe the cluster; raises NotRunningError where kind lists none of our name."""
        if host_daemon() is None or CLUSTER not in self._clusters():
            raise NotRunningError
        return ClusterInfo(
            provider=self.name,
            kubeconfig=self._kubeconfig(),
            bin=ensure("kubectl", "helm", "pack"),
            ingress_url=f"http://127.0.0.1:{self._ingress_port()}",
            ingress_class_name="traefik",
            gateway=Gateway("modelwright", "modelwright-gateway"),
            registry=REGISTRY,
            pod_registry=POD_REGISTRY,
            # kind brings Rancher's local-path provisioner under this name, as the default class.
            storage_class="standard",
        )

    def registry(self) -> str:
        """Start the registry's container; it joins the nodes' network when there is one."""
        state = self._container_state(REGISTRY_CONTAINER)
        if state is None:
            publish = f"127.0.0.1:{REGISTRY_PORT}:5000"
            _docker("run", "--detach", "--name", REGISTRY_CONTAINER, "--publish", publish, _REGISTRY_IMAGE)
        elif state != "running":
            _docker("start", REGISTRY_CONTAINER)
        return REGISTRY

    def host_address(self) -> str:
        """Return this machine's address on the nodes' network."""
        return _gateway_address(json.loads(_docker("network", "inspect", _NETWORK)))

    def _create(self, kind: Path) -> None:
        certs = self._folder() / "certs.d"
        for name in (REGISTRY, POD_REGISTRY):
            hosts = certs / name / "hosts.toml"
            hosts.parent.mkdir(parents=True, exist_ok=True)
            hosts.write_text(registry_hosts())
        config = self._folder() / "kind.yaml"
        config.write_text(
            cluster_config(
                image=node_image(),
                ingress_port=self._ingress_port(),
                certs=certs,
                ca_bundle=_host_ca_bundle(),
            )
        )
        command = [
            str(kind),
            "create",
            "cluster",
            "--config",
            str(config),
            "--kubeconfig",
            str(self._kubeconfig()),
        ]
        _run([*command, "--wait", "5m"], quiet=False, environment=node_environment(os.environ))

    def _restart(self, kubectl: Path) -> None:
        """Start the node again, as after a reboot of this machine, and wait for its API server."""
        _docker("start", _NODE)
        command = [str(kubectl), "--kubeconfig", str(self._kubeconfig()), "get", "--raw=/readyz"]
        deadline = time.monotonic() + 120
        while subprocess.run(command, capture_output=True, check=False).returncode:
            if time.monotonic() > deadline:
                raise ClusterError(f"{_NODE} runs, but its API server does not answer; see: docker logs {_NODE}")
            time.sleep(1)

    def _connect_registry(self) -> None:
        """Put the registry's container on the nodes' network, which exists only since there is a cluster."""
        if REGISTRY_CONTAINER not in _docker("network", "inspect", _NETWORK, "--format", "{{json .Containers}}"):
            _docker("network", "connect", _NETWORK, REGISTRY_CONTAINER)

    def _add_ons(self, kubectl: Path) -> None:
        base = [str(kubectl), "--kubeconfig", str(self._kubeconfig())]
        apply = [*base, "apply", "--server-side", "--force-conflicts", "--field-manager=modelwright-cluster"]
        hosting = self._folder() / "local-registry-hosting.yaml"
        hosting.write_text(registry_hosting())
        _run([*apply, "-f", str(hosting)])
        crds = str(gateway_crds())
        _run([*apply, "-f", crds])
        _run([*base, "wait", "--for=condition=Established", "--timeout=1m", "-f", crds])
        for name in ("metrics-server", "traefik"):
            _run([*apply, "-f", str(_MANIFESTS / f"{name}.yaml")])
        for workload in (
            "deployment/traefik -n modelwright-gateway",
            "deployment/metrics-server -n kube-system",
        ):
            _run([*base, "rollout", "status", "--timeout=5m", *workload.split()])

    def _clusters(self) -> list[str]:
        return _run([str(ensure("kind") / "kind"), "get", "clusters"]).split()

    def _container_state(self, name: str) -> str | None:
        listing = _docker("ps", "--all", "--filter", f"name=^{name}$", "--format", "{{.State}}").split()
        return listing[0] if listing else None

    def _folder(self) -> Path:
        return state_folder() / "kind"

    def _kubeconfig(self) -> Path:
        return self._folder() / "kubeconfig"

    def _ingress_port(self) -> int:
        return allocate(self._folder() / "ports.json", {"ingress": _INGRESS_PORT})["ingress"]


def _host_ca_bundle() -> Path | None:
    bundle = Path(os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt")
    return bundle if bundle.is_file() else None


def _gateway_address(networks: Iterable[dict[str, dict[str, list[dict[str, str]]]]]) -> str:
    """Return the IPv4 gateway of the first network in the answer of `docker network inspect`."""
    for network in networks:
        for pool in network["IPAM"]["Config"]:
            address = pool.get("Gateway", "")
            if address and ipaddress.ip_address(address).version == 4:
                return address
    raise ClusterError("docker's network `kind` has no IPv4 gateway: pods cannot reach servers on this machine")


def _docker(*arguments: str) -> str:
    return _run(["docker", *arguments])


def _run(command: list[str], *, quiet: bool = True, environment: Mapping[str, str] | None = None) -> str:
    """Run the command and return its output; raises ClusterError with what it said on failure."""
    result = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else sys.stderr,
        text=True,
        check=False,
        env=environment,
    )
    if result.returncode:
        name = Path(command[0]).name
        raise ClusterError(f"`{name} {' '.join(command[1:])}` failed: {(result.stderr or result.stdout).strip()}")
    return result.stdout
