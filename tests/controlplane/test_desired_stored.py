"""The golden files against a real kube-apiserver: stored as written, and admitted where pods are restricted."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from modelwright_operator.cluster.drift import differences

from tests.controlplane.schema_api import Kubectl

GOLDEN = Path(__file__).parents[1] / "unit" / "operator" / "desired" / "golden"
NOT_SERVED = ("HTTPRoute",)
NOT_RESTRICTED = ("author_wins", "no_pod_security")
NAMES = sorted(path.stem for path in GOLDEN.glob("*.yaml"))


def manifests(name: str, namespace: str) -> list[dict[str, Any]]:
    """Return a golden file's objects in `namespace`, without their owner: it does not exist there."""
    found = [m for m in yaml.safe_load_all((GOLDEN / f"{name}.yaml").read_text()) if m["kind"] not in NOT_SERVED]
    for manifest in found:
        del manifest["metadata"]["ownerReferences"]
        manifest["metadata"]["namespace"] = namespace
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_api_server_stores_what_is_rendered(name: str, cluster: Path, namespace: str) -> None:
    kubectl = Kubectl(cluster, namespace)
    wanted = manifests(name, namespace)
    bundle = {"apiVersion": "v1", "kind": "List", "items": wanted}
    stored = kubectl.json("apply", "--server-side", "--field-manager=modelwright", "--filename=-", stdin=bundle)
    for manifest, live in zip(wanted, stored["items"], strict=True):
        assert differences(manifest, live) == [], manifest["kind"]


def test_pods_are_admitted_in_a_restricted_namespace(cluster: Path, namespace: str) -> None:
    kubectl = Kubectl(cluster, namespace)
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    kubectl("create", "serviceaccount", "loader")
    for name in (name for name in NAMES if name not in NOT_RESTRICTED):
        for deployment in (m for m in manifests(name, namespace) if m["kind"] == "Deployment"):
            pod = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name.replace("_", "-")},
                "spec": deployment["spec"]["template"]["spec"],
            }
            kubectl("create", "--dry-run=server", "--filename=-", stdin=pod)
