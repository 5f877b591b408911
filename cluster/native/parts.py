"""What every add-on that runs beside the node is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.native.addresses import Network
from cluster.native.pki import Authority, Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Where the cluster's files, programs, ports and addresses are."""

    state: Path
    binaries: Path
    ports: Mapping[str, int]
    network: Network
    server: str

    def authority(self) -> Authority:
        """Return the cluster's certificate authority."""
        return Authority(self.state / "pki")

    def kubeconfig(self, name: str) -> Path:
        """Return a kubeconfig of the user `modelwright:<name>`, to whom the add-on's manifest gives its rights."""
        identity = Identity(user=f"modelwright:{name}")
        return self.authority().kubeconfig(self.state / f"{name}.kubeconfig", name, identity, self.server)
