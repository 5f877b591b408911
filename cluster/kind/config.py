"""What kind is told: its configuration file and the registry's hosts.toml. Pure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

CLUSTER = "modelwright"
REGISTRY_CONTAINER = "modelwright-registry"
REGISTRY_PORT = 5000
REGISTRY = f"localhost:{REGISTRY_PORT}"
POD_REGISTRY = f"{REGISTRY_CONTAINER}:{REGISTRY_PORT}"
"""The registry on the nodes' network: pods ask the node's resolver for names that the cluster does not have, and that
one asks Docker's, which knows the containers of the network."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
CERTS = "/etc/containerd/certs.d"
# The image that the pinned version of kind was released with.
NODE_IMAGE = "kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a"


def node_image() -> str:
    """Return the node's image: `MODELWRIGHT_KIND_IMAGE` (a mirror's, say), else the pinned one."""
    return os.environ.get("MODELWRIGHT_KIND_IMAGE") or NODE_IMAGE


def cluster_config(*, image: str, ingress_port: int, certs: Path, ca_bundle: Path | None) -> str:
    """Return the configuration of a one-node cluster as YAML (kind.sigs.k8s.io/docs/user/configuration).

    `image` is the node's; `ingress_port` the port of this machine's loopback that leads to port 80 of the node,
    the ingress controller's; `certs` the folder of hosts.toml files, which node images since kind 0.27 read
    without a patch of containerd's configuration; `ca_bundle` the certificates that this machine trusts, so
    that the node's pulls pass the same proxy.
    """
    mounts = [{"hostPath": str(certs), "containerPath": CERTS, "readOnly": True}]
    if ca_bundle is not None:
        target = "/etc/ssl/certs/ca-certificates.crt"
        mounts.append({"hostPath": str(ca_bundle), "containerPath": target, "readOnly": True})
    node = {
        "role": "control-plane",
        "image": image,
        "extraPortMappings": [
            {"containerPort": 80, "hostPort": ingress_port, "listenAddress": "127.0.0.1", "protocol": "TCP"}
        ],
        "extraMounts": mounts,
    }
    document = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "name": CLUSTER, "nodes": [node]}
    return yaml.safe_dump(document, sort_keys=False)


def registry_hosts() -> str:
    """Return the hosts.toml that sends a node's pulls of localhost:5000 to the registry's container."""
    return f'[host."http://{POD_REGISTRY}"]\n  capabilities = ["pull", "resolve"]\n'


def registry_hosting() -> str:
    """Return the ConfigMap by which other tools learn of the registry (KEP 1755), as kind's own recipe has it."""
    told = {"host": REGISTRY, "hostFromContainerRuntime": POD_REGISTRY, "hostFromClusterNetwork": POD_REGISTRY}
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "local-registry-hosting", "namespace": "kube-public"},
        "data": {"localRegistryHosting.v1": yaml.safe_dump(told, sort_keys=False)},
    }
    return yaml.safe_dump(document, sort_keys=False)


def node_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return this machine's environment for kind, which hands its proxies on to the node.

    kind names the cluster's networks in NO_PROXY, but containerd knows the registry by a name.
    """
    found = dict(environment)
    if not any(environment.get(name) for name in _PROXIES):
        return found
    except_for = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    found["NO_PROXY"] = f"{except_for},{REGISTRY_CONTAINER}".lstrip(",")
    return found
