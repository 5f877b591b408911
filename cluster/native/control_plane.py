"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler as host processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.native.addresses import Network
from cluster.native.kubectl import Administrator
from cluster.native.pki import Authority, Identity, service_account_keys
from cluster.native.processes import Command, Supervisor
from cluster.native.waiting import Report, until

BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
PORTS = {"apiserver": 6443, "etcd": 2379, "etcd-peer": 2380, "controller-manager": 10257, "scheduler": 10259}
"""Preferred ports of a whole cluster; a control plane alone takes any, to leave these free."""

_NAMES = tuple(f"kubernetes{rest}" for rest in ("", ".default", ".default.svc", ".default.svc.cluster.local"))

ADMIN = Identity(user="modelwright-admin", groups=("system:masters",))
_KUBELET_CLIENT = Identity(user="kube-apiserver-kubelet-client", groups=("system:masters",))


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane:
    """The four processes, their certificates, and the administrator's kubeconfig."""

    state: Path
    binaries: Path
    ports: Mapping[str, int]
    network: Network
    has_node: bool

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.state / "kubeconfig"

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{self.network.address}:{self.ports['apiserver']}"

    def authority(self) -> Authority:
        """Return the cluster's certificate authority."""
        return Authority(self.state / "pki")

    def administrator(self) -> Administrator:
        """Return an administrator, with its kubeconfig written."""
        authority = self.authority()
        authority.kubeconfig(self.kubeconfig, "admin", ADMIN, self.server)
        return Administrator(
            binary=self.binaries / "kubectl",
            kubeconfig=self.kubeconfig,
            server=self.server,
            authority=authority.path,
            identity=authority.issue("admin", ADMIN),
        )

    def up(self, supervisor: Supervisor, report: Report) -> Administrator:
        """Start what does not run and return when the API server is ready."""
        administrator = self.administrator()
        authority = self.authority()
        etcd, server = self._etcd(), self._server(authority)
        if supervisor.ensure(etcd):
            report("etcd started")
        if supervisor.ensure(server):
            report(f"kube-apiserver started on {self.server}")
        until(
            "the API server",
            administrator.ready,
            report=report,
            supervisor=supervisor,
            needs=("kube-apiserver", "etcd"),
        )
        for command in (self._controller_manager(authority), self._scheduler(authority)):
            if supervisor.ensure(command):
                report(f"{command.name} started")
        return administrator

    def _etcd(self) -> Command:
        client = f"http://127.0.0.1:{self.ports['etcd']}"
        peer = f"http://127.0.0.1:{self.ports['etcd-peer']}"
        argv = (
            f"{self.binaries}/etcd",
            f"--data-dir={self.state}/etcd",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            # A test cluster is made anew after a crash; syncing would make every write wait for the disk.
            "--unsafe-no-fsync",
            "--log-level=warn",
        )
        return Command(name="etcd", argv=argv)

    def _server(self, authority: Authority) -> Command:
        serving = Identity(
            user="kube-apiserver",
            dns=("localhost", *_NAMES),
            addresses=tuple(dict.fromkeys(("127.0.0.1", self.network.address, self.network.first_service))),
        )
        crt, key = authority.issue("apiserver", serving)
        client = authority.issue("apiserver-kubelet-client", _KUBELET_CLIENT)
        front = authority.issue("front-proxy", Identity(user="front-proxy-client"))
        public, private = service_account_keys(authority.folder)
        argv = (
            f"{self.binaries}/kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self.ports['etcd']}",
            f"--bind-address={self.network.address}",
            f"--advertise-address={self.network.address}",
            f"--secure-port={self.ports['apiserver']}",
            f"--service-cluster-ip-range={self.network.service_range}",
            # Without a node no pod wants the Service `kubernetes`, and a loopback address cannot be its endpoint.
            f"--endpoint-reconciler-type={'lease' if self.has_node else 'none'}",
            f"--tls-cert-file={crt}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={authority.path}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            f"--service-account-key-file={public}",
            f"--service-account-signing-key-file={private}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            *_kubelet_flags(authority.path, client),
            *_aggregation_flags(authority.path, front),
            "--max-requests-inflight=1600",
            "--max-mutating-requests-inflight=800",
            "--profiling=false",
        )
        return Command(name="kube-apiserver", argv=argv, inputs=(authority.path, crt, key, client[0], front[0], public))

    def _controller_manager(self, authority: Authority) -> Command:
        kubeconfig = self._client("controller-manager", "system:kube-controller-manager")
        _, private = service_account_keys(authority.folder)
        argv = (
            f"{self.binaries}/kube-controller-manager",
            f"--kubeconfig={kubeconfig}",
            f"--secure-port={self.ports['controller-manager']}",
            "--bind-address=127.0.0.1",
            f"--root-ca-file={authority.path}",
            f"--service-account-private-key-file={private}",
            "--use-service-account-credentials",
            f"--cluster-signing-cert-file={authority.path}",
            f"--cluster-signing-key-file={authority.key_path}",
            "--leader-elect=false",
            "--kube-api-qps=400",
            "--kube-api-burst=800",
            # A third of the default: who tests an autoscaler waits for it.
            "--horizontal-pod-autoscaler-sync-period=5s",
            f"--flex-volume-plugin-dir={self.state}/volume-plugins",
            f"--cert-dir={self.state}/controller-manager",
            "--profiling=false",
        )
        return Command(name="kube-controller-manager", argv=argv, inputs=(kubeconfig, authority.path, private))

    def _scheduler(self, authority: Authority) -> Command:
        kubeconfig = self._client("scheduler", "system:kube-scheduler")
        argv = (
            f"{self.binaries}/kube-scheduler",
            f"--kubeconfig={kubeconfig}",
            f"--secure-port={self.ports['scheduler']}",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
            "--kube-api-qps=400",
            "--kube-api-burst=800",
            f"--cert-dir={self.state}/scheduler",
            "--profiling=false",
        )
        return Command(name="kube-scheduler", argv=argv, inputs=(kubeconfig, authority.path))

    def _client(self, name: str, user: str) -> Path:
        return self.authority().kubeconfig(self.state / f"{name}.kubeconfig", name, Identity(user=user), self.server)


def _kubelet_flags(authority: Path, client: tuple[Path, Path]) -> tuple[str, ...]:
    """Return how the API server talks to the kubelet, for logs and exec."""
    return (
        f"--kubelet-certificate-authority={authority}",
        f"--kubelet-client-certificate={client[0]}",
        f"--kubelet-client-key={client[1]}",
        # The node's name is in no DNS.
        "--kubelet-preferred-address-types=InternalIP",
    )


def _aggregation_flags(authority: Path, front: tuple[Path, Path]) -> tuple[str, ...]:
    """Return how the API server passes requests on to other API servers, and who it says is asking."""
    return (
        f"--requestheader-client-ca-file={authority}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={front[0]}",
        f"--proxy-client-key-file={front[1]}",
        # To the metrics server's own address: the rules for its Service may not be there yet.
        "--enable-aggregator-routing=true",
    )
