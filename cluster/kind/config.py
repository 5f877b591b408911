"""What kind is told: its configuration file and the registry's hosts.toml. Pure."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

CLUSTER = "modelwright"
REGISTRY_CONTAINER = "modelwright-registry"
REGISTRY_PORT = 5000
REGISTRY = f"localhost:{REGISTRY_PORT}"
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
    return f'[host."http://{REGISTRY_CONTAINER}:5000"]\n  capabilities = ["pull", "resolve"]\n'
