"""A real Kubernetes as plain host processes, for machines where privileged containers do not run."""

from cluster.native.provider import NativeProvider

__all__ = ["NativeProvider"]
