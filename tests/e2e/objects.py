"""Objects the end-to-end tests apply: small builders, so that a test shows only what it is about."""

from __future__ import annotations

from typing import Any

REGISTRY = "localhost:5000/modelwright"
IRIS = f"{REGISTRY}/iris:dev"
LAUNCHER = "/cnb/lifecycle/launcher"
"""What gives a command the environment of the image's layers."""
SMALL = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}


def isvc(name: str, *, annotations: dict[str, str] | None = None, **predictor: Any) -> dict[str, Any]:
    """An InferenceService of the iris image; `predictor` replaces or adds fields, `container` the container's."""
    # A cluster that stays up has the tag of an earlier build.
    fresh = {"image": IRIS, "imagePullPolicy": "Always"}
    container = {"name": "kserve-container", **fresh, "resources": SMALL, **predictor.pop("container", {})}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "annotations": annotations or {}},
        "spec": {"predictor": {"workers": 1, "containers": [container], **predictor}},
    }


def claim(name: str, megabytes: int = 64) -> dict[str, Any]:
    """A PersistentVolumeClaim of the default StorageClass."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": f"{megabytes}Mi"}}},
    }


def secret(name: str, data: dict[str, str], annotations: dict[str, str] | None = None) -> dict[str, Any]:
    """An Opaque Secret."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "annotations": annotations or {}},
        "stringData": data,
    }


def filler(claim_name: str, image: str) -> dict[str, Any]:
    """A pod that holds a claim at /data, for files to be made there by the image's python."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"fill-{claim_name}"},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "securityContext": {
                "fsGroup": 1000,
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "fill",
                    "image": image,
                    "command": [LAUNCHER, "--", "python", "-c", "import time; time.sleep(3600)"],
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim_name}}],
        },
    }
