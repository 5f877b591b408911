"""Traefik as a host process: the controller of the Ingress class and of the Gateway."""

from __future__ import annotations

from cluster.native.kubectl import Administrator
from cluster.native.parts import Parts
from cluster.native.ports import answers
from cluster.native.processes import Command, Supervisor
from cluster.native.waiting import Report, until

BINARIES = ("traefik",)
PORTS = {"ingress": 8088}
CLASS = "traefik"
GATEWAY = "modelwright"
NAMESPACE = "modelwright-gateway"


def commands(parts: Parts) -> tuple[Command, ...]:
    """Return Traefik's process."""
    address = parts.network.address
    kubeconfig = parts.kubeconfig("traefik")
    argv = (
        f"{parts.binaries}/traefik",
        f"--entrypoints.web.address=:{parts.ports['ingress']}",
        "--providers.kubernetesingress=true",
        f"--providers.kubernetesingress.ingressclass={CLASS}",
        f"--providers.kubernetesingress.ingressendpoint.ip={address}",
        # A Service whose pods are not ready yet answers 503 rather than 404, which would say that there is no route.
        "--providers.kubernetesingress.allowemptyservices=true",
        "--providers.kubernetesgateway=true",
        f"--providers.kubernetesgateway.statusaddress.ip={address}",
        # Changes of routes and endpoints count at once; the default is two seconds.
        "--providers.providersthrottleduration=100ms",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
    )
    return (Command(name="traefik", argv=argv, env={"KUBECONFIG": str(kubeconfig)}, inputs=(kubeconfig,)),)


def wait(parts: Parts, administrator: Administrator, supervisor: Supervisor, report: Report) -> None:
    """Return when requests are accepted and the Gateway is programmed."""
    path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{NAMESPACE}/gateways/{GATEWAY}"

    def programmed() -> bool:
        found = administrator.object(path)
        conditions = found.get("status", {}).get("conditions", []) if found else []
        return any(entry["type"] == "Programmed" and entry["status"] == "True" for entry in conditions)

    def listening() -> bool:
        return answers("127.0.0.1", parts.ports["ingress"])

    until("Traefik", listening, report=report, supervisor=supervisor, needs=("traefik",))
    until("the Gateway to be programmed", programmed, report=report, supervisor=supervisor, needs=("traefik",))
