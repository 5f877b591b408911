"""The add-ons' Kubernetes objects: rendered from the files in manifests/, applied when they differ."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from string import Template

from cluster.info import ClusterError
from cluster.native.kubectl import Administrator

_FOLDER = Path(__file__).parent / "manifests"
_GATEWAY_API = "/apis/gateway.networking.k8s.io/v1"
_KINDS = {"gatewayclasses", "gateways", "httproutes"}
_RECORD = "modelwright-cluster-add-ons"


def render(values: Mapping[str, str | int]) -> str:
    """Return all manifests as one YAML stream; raises KeyError for a value that a manifest wants and does not get."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(_FOLDER.glob("*.yaml"))]
    return "\n---\n".join(Template(text).substitute(values) for text in texts)


def _wait_served(administrator: Administrator) -> None:
    """Wait until the API server serves the new kinds; `kubectl wait` fails on a definition without any status yet."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        served = administrator.object(_GATEWAY_API)
        if served is not None and {entry["name"] for entry in served["resources"]} >= _KINDS:
            return
        time.sleep(0.1)
    raise ClusterError(f"the API server does not serve {_GATEWAY_API} a minute after its definitions were applied")


def install(administrator: Administrator, crds: Path, manifests: str) -> bool:
    """Apply the definitions and the objects unless the cluster has these very ones; return whether it was needed."""
    digest = hashlib.sha256(crds.read_bytes() + manifests.encode()).hexdigest()
    record = administrator.object(f"/api/v1/namespaces/kube-system/configmaps/{_RECORD}")
    if record is not None and record.get("data", {}).get("digest") == digest:
        return False
    administrator.apply(crds.read_text(encoding="utf-8"))
    _wait_served(administrator)
    administrator.apply(manifests)
    # Written last: after an interruption everything is applied again.
    administrator.apply(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": _RECORD, "namespace": "kube-system"},
                "data": {"digest": digest},
            }
        )
    )
    return True
