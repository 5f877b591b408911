"""The default StorageClass: volumes that Rancher's local-path provisioner makes in the state folder on demand."""

from __future__ import annotations

from cluster.native.parts import Parts
from cluster.native.processes import Command

BINARIES = ("local-path-provisioner",)
CLASS = "local-path"
NAMESPACE = "local-path-storage"


def commands(parts: Parts) -> tuple[Command, ...]:
    """Return the provisioner's process; its settings are in the ConfigMap of manifests/storage.yaml."""
    kubeconfig = parts.kubeconfig("local-path-provisioner")
    argv = (
        f"{parts.binaries}/local-path-provisioner",
        "start",
        f"--kubeconfig={kubeconfig}",
        f"--namespace={NAMESPACE}",
        "--service-account-name=default",
        # A claim that could not be served at once is tried for ever rather than fifteen times.
        "--provisioning-retry-count=0",
        "--deletion-retry-count=0",
    )
    return (Command(name="local-path-provisioner", argv=argv, inputs=(kubeconfig,)),)
