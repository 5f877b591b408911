"""CoreDNS and metrics-server as host processes: the cluster's names, and its resource metrics."""

from __future__ import annotations

import json

from cluster.native.addresses import nameservers, resolv_conf
from cluster.native.kubectl import Administrator
from cluster.native.node import write
from cluster.native.parts import Parts
from cluster.native.pki import Identity
from cluster.native.ports import answers
from cluster.native.processes import Command, Supervisor
from cluster.native.waiting import Report, until

BINARIES = ("coredns", "metrics-server")
PORTS = {"dns": 1053, "metrics-server": 4443}


def commands(parts: Parts) -> tuple[Command, ...]:
    """Return the two processes."""
    return _dns(parts), _metrics(parts)


def wait(parts: Parts, administrator: Administrator, supervisor: Supervisor, report: Report) -> None:
    """Return when names are answered and the metrics API is available."""

    def dns_ready() -> bool:
        return answers(parts.network.address, parts.ports["dns"])

    def metrics_ready() -> bool:
        body = administrator.get("/apis/metrics.k8s.io/v1beta1")
        return body is not None and json.loads(body).get("kind") == "APIResourceList"

    until("CoreDNS", dns_ready, report=report, supervisor=supervisor, needs=("coredns",))
    until("the metrics API", metrics_ready, report=report, supervisor=supervisor, needs=("metrics-server",))


def corefile(parts: Parts, kubeconfig: str, upstream: str | None) -> str:
    """Return CoreDNS's configuration; names outside the cluster go to the servers in the file `upstream`, if any."""
    forward = f"  forward . {upstream}\n" if upstream else ""
    return f""".:{parts.ports["dns"]} {{
  bind {parts.network.address}
  errors
  kubernetes cluster.local in-addr.arpa ip6.arpa {{
    kubeconfig {kubeconfig}
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
    ttl 5
  }}
{forward}  cache 5
}}
"""


def _dns(parts: Parts) -> Command:
    kubeconfig = parts.kubeconfig("coredns")
    upstream = str(resolv_conf()) if nameservers() else None
    config = write(parts.state / "Corefile", corefile(parts, str(kubeconfig), upstream))
    return Command(
        name="coredns", argv=(f"{parts.binaries}/coredns", "-conf", str(config)), inputs=(config, kubeconfig)
    )


def _metrics(parts: Parts) -> Command:
    authority = parts.authority()
    kubeconfig = parts.kubeconfig("metrics-server")
    # The API server calls it by the name of its Service.
    crt, key = authority.issue(
        "metrics-server-serving", Identity(user="metrics-server", dns=("metrics-server.kube-system.svc",))
    )
    argv = (
        f"{parts.binaries}/metrics-server",
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--bind-address={parts.network.address}",
        f"--secure-port={parts.ports['metrics-server']}",
        f"--tls-cert-file={crt}",
        f"--tls-private-key-file={key}",
        f"--kubelet-certificate-authority={authority.path}",
        "--kubelet-preferred-address-types=InternalIP",
        "--kubelet-use-node-status-port",
        # The shortest that it accepts: who tests an autoscaler waits for it.
        "--metric-resolution=10s",
        "--kubelet-request-timeout=9s",
    )
    return Command(name="metrics-server", argv=argv, inputs=(kubeconfig, crt))
