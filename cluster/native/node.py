"""The one node: containerd, kubelet and kube-proxy on the host itself, each in folders of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.info import ClusterError
from cluster.native import bridge, cgroups, firewall
from cluster.native.addresses import Network, resolv_conf
from cluster.native.kubectl import Administrator
from cluster.native.pki import Authority, Identity
from cluster.native.processes import Command, Supervisor
from cluster.native.registry import pod_address
from cluster.native.waiting import Report, until

NAME = "modelwright"
BINARIES = ("kubelet", "kube-proxy")
PORTS = {"kubelet": 10250, "kubelet-health": 10248, "proxy-health": 10256, "proxy-metrics": 10249}
CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"), Path("/usr/libexec/cni"))
CAP_SYS_RESOURCE = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Files and processes of the node."""

    state: Path
    binaries: Path
    ports: Mapping[str, int]
    network: Network
    sandbox_image: str
    registry: str
    server: str

    @property
    def socket(self) -> Path:
        """Containerd's socket."""
        return self.state / "containerd.sock"

    def prepare(self) -> None:
        """Make bridge, kernel settings and control group; everything else needs the node's address."""
        kernel = self.state / "kernel.json"
        if not kernel.is_file() and firewall.other_node():
            raise ClusterError(
                "this machine is a node of another Kubernetes, whose rules would mix with ours; "
                "use that one: MODELWRIGHT_CLUSTER=existing with KUBECONFIG set"
            )
        bridge.create(self.network, self.state)
        bridge.configure_kernel(kernel)
        firewall.open_forwarding(bridge.NAME)
        cgroups.create()

    def start(self, supervisor: Supervisor, report: Report) -> None:
        """Start containerd, kubelet and kube-proxy."""
        authority = Authority(self.state / "pki")
        containerd = self._containerd()
        if supervisor.ensure(containerd):
            report("containerd started")
        until("containerd", self._containerd_answers, report=report, supervisor=supervisor, needs=("containerd",))
        for command in (self._kubelet(authority), self._proxy(authority)):
            if supervisor.ensure(command):
                report(f"{command.name} started")

    def wait(self, administrator: Administrator, supervisor: Supervisor, report: Report) -> None:
        """Return when the API server calls the node Ready."""

        def ready() -> bool:
            found = administrator.object(f"/api/v1/nodes/{NAME}")
            conditions = found["status"].get("conditions", []) if found else []
            return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)

        until(
            "the node to be Ready",
            ready,
            report=report,
            supervisor=supervisor,
            needs=("kubelet", "containerd", "kube-proxy"),
        )

    def _containerd_answers(self) -> bool:
        # The client that comes with the daemon; a socket that accepts says nothing about its plugins.
        result = subprocess.run(
            ["ctr", "--address", str(self.socket), "version"], capture_output=True, check=False, timeout=10
        )
        return result.returncode == 0

    def _containerd(self) -> Command:
        folder = self.state / "containerd"
        config = write(self.state / "containerd.toml", containerd_config(self, overlay=_overlay_works(self.state)))
        # Both of these are read whenever they are needed: a change asks for no restart.
        for registry in (self.registry, pod_address(self.network.address)):
            write(folder / "certs.d" / registry / "hosts.toml", f'[host."http://{registry}"]\n')
        write(self.state / "cni" / "10-modelwright.conflist", json.dumps(cni_config(self), indent=1))
        return Command(name="containerd", argv=("containerd", f"--config={config}"), inputs=(config,))

    def _kubelet(self, authority: Authority) -> Command:
        serving = Identity(
            user=f"system:node:{NAME}",
            groups=("system:nodes",),
            dns=(NAME,),
            addresses=(self.network.address, "127.0.0.1"),
        )
        crt, key = authority.issue("kubelet", serving)
        kubeconfig = authority.kubeconfig(self.state / "kubelet.kubeconfig", "kubelet", serving, self.server)
        config = write(
            self.state / "kubelet.json", json.dumps(kubelet_config(self, authority.path, crt, key), indent=1)
        )
        argv = (
            f"{self.binaries}/kubelet",
            f"--config={config}",
            f"--kubeconfig={kubeconfig}",
            f"--hostname-override={NAME}",
            f"--root-dir={self.state}/kubelet",
            f"--cert-dir={self.state}/kubelet/pki",
            f"--node-ip={self.network.address}",
        )
        return Command(name="kubelet", argv=argv, inputs=(config, kubeconfig, crt))

    def _proxy(self, authority: Authority) -> Command:
        kubeconfig = authority.kubeconfig(
            self.state / "kube-proxy.kubeconfig", "kube-proxy", Identity(user="system:kube-proxy"), self.server
        )
        config = write(self.state / "kube-proxy.json", json.dumps(proxy_config(self, kubeconfig), indent=1))
        argv = (f"{self.binaries}/kube-proxy", f"--config={config}")
        return Command(name="kube-proxy", argv=argv, inputs=(config, kubeconfig))


def containerd_config(node: Node, *, overlay: bool) -> str:
    """Return containerd's configuration: nothing shared with a containerd that the host may run."""
    folder = node.state / "containerd"
    return f"""version = 2
root = "{folder}/root"
state = "{folder}/state"
[grpc]
  address = "{node.socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{node.sandbox_image}"
  # Where a capability is missing, a score below the parent's cannot be set, and every sandbox would die trying.
  restrict_oom_score_adj = {"false" if _may_lower_oom_score() else "true"}
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{"overlayfs" if overlay else "native"}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_folder()}"
    conf_dir = "{node.state}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{folder}/certs.d"
"""


def cni_config(node: Node) -> dict[str, Any]:
    """Return the network of the pods: a bridge, addresses remembered in the state folder, host ports."""
    return {
        "cniVersion": "0.4.0",
        "name": firewall.NETWORK,
        "plugins": [
            {
                "type": "bridge",
                "bridge": bridge.NAME,
                "isGateway": True,
                "ipMasq": True,
                # A pod may reach itself through its Service.
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": node.network.node_range}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                    "dataDir": f"{node.state}/cni-addresses",
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def kubelet_config(node: Node, authority: Path, crt: Path, key: Path) -> dict[str, Any]:
    """Return the kubelet's configuration."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.network.address,
        "port": node.ports["kubelet"],
        "healthzPort": node.ports["kubelet-health"],
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(authority)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(crt),
        "tlsPrivateKeyFile": str(key),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroups.NAME}",
        "failSwapOn": False,
        "failCgroupV1": False,
        "clusterDNS": [node.network.dns_service],
        "clusterDomain": "cluster.local",
        "resolvConf": str(resolv_conf()),
        "containerRuntimeEndpoint": f"unix://{node.socket}",
        "podLogsDir": f"{node.state}/pod-logs",
        "volumePluginDir": f"{node.state}/volume-plugins",
        "registryPullQPS": 0,
        "serializeImagePulls": False,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "eventRecordQPS": 0,
        "maxPods": 250,
        # The disk is not the cluster's own: pods are evicted, and images removed, only when it is really full.
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": False,
    }


def proxy_config(node: Node, kubeconfig: Path) -> dict[str, Any]:
    """Return kube-proxy's configuration."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig), "qps": 100, "burst": 200},
        "mode": "iptables",
        "clusterCIDR": node.network.pod_range,
        "hostnameOverride": NAME,
        "healthzBindAddress": f"127.0.0.1:{node.ports['proxy-health']}",
        "metricsBindAddress": f"127.0.0.1:{node.ports['proxy-metrics']}",
        # NodePorts on the node's own address only, which other machines do not reach.
        "nodePortAddresses": ["primary"],
        # The size and the time-outs of the connection table are the host's own matter.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "oomScoreAdj": 0,
    }


def cni_folder() -> Path:
    """Return the folder with the CNI plugins; raises FileNotFoundError with the remedy when there is none."""
    for folder in CNI_FOLDERS:
        if all((folder / plugin).exists() for plugin in ("bridge", "host-local", "portmap")):
            return folder
    raise FileNotFoundError("no CNI plugins here: apt-get install containernetworking-plugins")


def write(path: Path, text: str) -> Path:
    """Write the file if its content differs, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    return path


def _may_lower_oom_score() -> bool:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    effective = next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))
    return bool(effective >> CAP_SYS_RESOURCE & 1)


def _overlay_works(state: Path) -> bool:
    """Say whether an overlay can be mounted over the state folder's file system; trying is the only sure way."""
    # Once containers rest on one snapshotter, the answer must not change.
    remembered = state / "snapshotter"
    if remembered.is_file():
        return remembered.read_text(encoding="ascii") == "overlayfs"
    probe = state / "overlay-probe"
    folders = [probe / name for name in ("lower", "upper", "work", "merged")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    lower, upper, work, merged = folders
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    mounted = subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", options, str(merged)], capture_output=True, check=False
    )
    if mounted.returncode == 0:
        subprocess.run(["umount", str(merged)], check=True)
    remembered.write_text("native" if mounted.returncode else "overlayfs", encoding="ascii")
    return mounted.returncode == 0
