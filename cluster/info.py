"""What every provider of a cluster offers, and what it says about the cluster once it is up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class ClusterError(RuntimeError):
    """The test Kubernetes could not do what was asked; the message says why and what to do."""


class NotRunningError(ClusterError):
    """No cluster is up."""

    def __init__(self) -> None:
        super().__init__("no test Kubernetes is up; start one: make cluster")


@dataclass(frozen=True)
class Gateway:
    """A Gateway of the Gateway API that accepts HTTPRoutes from every namespace."""

    name: str
    namespace: str


@dataclass(frozen=True, kw_only=True)
class ClusterInfo:
    """Where things are in a running cluster; None stands for what the cluster does not have.

    `ingress_url` is where a request with an Ingress's Host header goes, `registry` the prefix of images that
    nodes can pull and this machine can push, `pod_registry` the same registry by a name under which pods and nodes
    reach it (and this machine, where it is an address), `bin` the folder of kubectl and the other tools.
    """

    provider: str
    kubeconfig: Path
    bin: Path
    ingress_url: str | None = None
    ingress_class_name: str | None = None
    gateway: Gateway | None = None
    registry: str | None = None
    pod_registry: str | None = None
    storage_class: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the fields with the names that `python -m cluster info` prints."""
        gateway = self.gateway
        return {
            "provider": self.provider,
            "kubeconfig": str(self.kubeconfig),
            "ingressURL": self.ingress_url,
            "ingressClassName": self.ingress_class_name,
            "gateway": {"name": gateway.name, "namespace": gateway.namespace} if gateway else None,
            "registry": self.registry,
            "podRegistry": self.pod_registry,
            "storageClass": self.storage_class,
            "bin": str(self.bin),
        }


class Provider(Protocol):
    """One way to have a Kubernetes. Every method raises ClusterError with the remedy when it cannot work."""

    @property
    def name(self) -> str:
        """Return kind, native or existing."""

    def up(self, control_plane: bool) -> ClusterInfo:
        """Bring the cluster up, or adopt the one there is; `control_plane`: API server and controllers."""

    def down(self) -> None:
        """Remove all that `up` made, the bare control plane too."""

    def info(self) -> ClusterInfo:
        """Describe the cluster that is up; raises NotRunningError where none is."""

    def registry(self) -> str:
        """Start the registry alone, so that images can be pushed while the cluster comes up; return its address."""

    def host_address(self) -> str:
        """Address of this machine that pods can reach, for servers that run beside the cluster."""
