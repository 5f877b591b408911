"""Kubernetes in a Docker container, by kind: the default where privileged containers run."""

from cluster.kind.provider import KindProvider

__all__ = ["KindProvider"]
