"""A cluster that somebody else runs: described by itself and by variables; nothing is installed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster.binaries import ensure
from cluster.info import ClusterError, ClusterInfo, Gateway
from cluster.progress import say

_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
_DEFAULT_STORAGE = "storageclass.kubernetes.io/is-default-class"

# What a cluster cannot say of itself, or says only sometimes: field of ClusterInfo -> variable that names it.
VARIABLES = {
    "ingress_url": "MODELWRIGHT_INGRESS_URL",
    "ingress_class_name": "MODELWRIGHT_INGRESS_CLASS",
    "gateway": "MODELWRIGHT_GATEWAY",
    "registry": "MODELWRIGHT_REGISTRY",
    "storage_class": "MODELWRIGHT_STORAGE_CLASS",
}


class ExistingProvider:
    """The cluster of $KUBECONFIG's current context, where MODELWRIGHT_CLUSTER=existing asks for it."""

    name = "existing"

    def up(self, control_plane: bool) -> ClusterInfo:
        """Check that the cluster answers, and say on stderr what it lacks and how to name it."""
        del control_plane  # there is one cluster, and it is somebody else's
        info = self.info()
        for line in lacks(info):
            say(line)
        return info

    def down(self) -> None:
        """Leave the cluster alone: nothing of it is ours."""

    def info(self) -> ClusterInfo:
        """Describe the cluster; raises ClusterError where it does not answer."""
        tools = ensure("kubectl", "helm", "pack")
        self._kubectl(tools, "get", "--raw=/readyz")
        classes = {kind: self._items(tools, kind) for kind in ("ingressclasses", "storageclasses")}
        return describe(os.environ, _kubeconfig(), tools, classes["ingressclasses"], classes["storageclasses"])

    def registry(self) -> str:
        """Return the registry that the user names: nothing is started in somebody else's cluster."""
        name = os.environ.get(VARIABLES["registry"])
        if not name:
            raise ClusterError(f"set {VARIABLES['registry']} to a registry that this machine and the cluster reach")
        return name

    def host_address(self) -> str:
        """Return the address of this machine that the user says pods can reach."""
        address = os.environ.get("MODELWRIGHT_HOST_ADDRESS")
        if not address:
            raise ClusterError(
                "set MODELWRIGHT_HOST_ADDRESS to an address of this machine that the cluster's pods reach"
            )
        return address

    def _items(self, tools: Path, kind: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self._kubectl(tools, "get", kind, "--output=json"))["items"]
        return items

    def _kubectl(self, tools: Path, *arguments: str) -> str:
        command = [str(tools / "kubectl"), "--request-timeout=10s", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise ClusterError(
                f"the cluster of {_kubeconfig()} does not answer: {result.stderr.strip()}\n"
                "Remedy: set KUBECONFIG, or unset MODELWRIGHT_CLUSTER to have a test cluster made"
            )
        return result.stdout


def describe(
    environment: Mapping[str, str],
    kubeconfig: Path,
    tools: Path,
    ingress_classes: list[dict[str, Any]],
    storage_classes: list[dict[str, Any]],
) -> ClusterInfo:
    """Return what is known of a cluster: variables first, then its default (or only) classes."""
    gateway = environment.get(VARIABLES["gateway"])
    if gateway and gateway.count("/") != 1:
        raise ClusterError(f"{VARIABLES['gateway']} is {gateway!r}: write namespace/name")
    namespace, _, name = (gateway or "").partition("/")
    return ClusterInfo(
        provider="existing",
        kubeconfig=kubeconfig,
        bin=tools,
        ingress_url=environment.get(VARIABLES["ingress_url"]),
        ingress_class_name=environment.get(VARIABLES["ingress_class_name"])
        or _default(ingress_classes, _DEFAULT_CLASS),
        gateway=Gateway(name, namespace) if gateway else None,
        registry=environment.get(VARIABLES["registry"]),
        pod_registry=environment.get(VARIABLES["registry"]),
        storage_class=environment.get(VARIABLES["storage_class"]) or _default(storage_classes, _DEFAULT_STORAGE),
    )


def lacks(info: ClusterInfo) -> list[str]:
    """Return a line for each thing that is not known of the cluster, with the variable that names it."""
    missing = [field for field in VARIABLES if getattr(info, field) is None]
    return [f"this cluster has no known {field.replace('_', ' ')}: name it in {VARIABLES[field]}" for field in missing]


def _default(classes: list[dict[str, Any]], annotation: str) -> str | None:
    names = [str(item["metadata"]["name"]) for item in classes]
    marked = [
        str(item["metadata"]["name"])
        for item in classes
        if item["metadata"].get("annotations", {}).get(annotation) == "true"
    ]
    if marked:
        return marked[0]
    return names[0] if len(names) == 1 else None


def _kubeconfig() -> Path:
    """Return the first file of $KUBECONFIG, else kubectl's default."""
    listed = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(listed) if listed else Path.home() / ".kube" / "config"
