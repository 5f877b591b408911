"""A model that spans two pods: a replica on each, a token between them, and a worker that dies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from buildpacks.build import build
from cluster.info import ClusterInfo
from tests.e2e.images import EXAMPLES
from tests.e2e.ingress import Ingress
from tests.e2e.kubectl import Kubectl, until
from tests.e2e.objects import LAUNCHER, REGISTRY

IMAGE = f"{REGISTRY}/ray-workers:dev"
ROWS = [[1, 0, 0, 0], [0, 1, 0, 0]]
STRANGER = """
import os, ray
address = os.environ["HEAD"]
try:
    ray.init(address)
    print("CONNECTED")
except BaseException as error:
    print("REFUSED", type(error).__name__)
"""


@pytest.fixture
def image(cluster: ClusterInfo, tmp_path: Path) -> str:
    assert cluster.registry == "localhost:5000"
    build(EXAMPLES / "12-ray-workers", IMAGE, log=tmp_path / "build.log")
    return IMAGE


def pods(kubectl: Kubectl, component: str) -> set[str]:
    found = kubectl.items("pods", "-l", f"serving.kserve.io/inferenceservice=projection,component={component}")
    return {pod["metadata"]["name"] for pod in found if "deletionTimestamp" not in pod["metadata"]}


def answering(ingress: Ingress, service: dict) -> set[str]:
    """The pods whose replicas answer several calls at one time; every call must be answered."""

    def ask(_: int) -> str:
        answer = ingress.predict(service, ROWS)
        assert answer.status == 200, answer.body
        return answer.body["pod"]

    with ThreadPoolExecutor(8) as callers:
        return set(callers.map(ask, range(40)))


def stranger(kubectl: Kubectl, image: str, head: str) -> str:
    """What a pod of the same image says that has neither the labels nor the token."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stranger"},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "stranger",
                    "image": image,
                    "command": [LAUNCHER, "--", "python", "-c", STRANGER],
                    "env": [{"name": "HEAD", "value": head}],
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }
    kubectl.apply(pod)

    def ended() -> str | None:
        phase = kubectl.get("pod", "stranger")["status"]["phase"]
        return kubectl("logs", "stranger") if phase in ("Succeeded", "Failed") else None

    return until(ended, 180, lambda: kubectl("logs", "stranger", check=False))


def test_a_model_spans_pods_that_only_they_can_reach_and_outlives_a_worker(
    kubectl: Kubectl, ingress: Ingress, image: str
) -> None:
    isvc = yaml.safe_load((EXAMPLES / "12-ray-workers/isvc.yaml").read_text())
    # A cluster that stays up has the tag of an earlier build.
    isvc["spec"]["predictor"]["containers"][0] |= {"image": image, "imagePullPolicy": "Always"}
    kubectl.apply(isvc)
    service = kubectl.wait_ready("projection", 240)
    assert kubectl.condition("projection", "WorkersReady")["status"] == "True"
    head, first = pods(kubectl, "predictor"), pods(kubectl, "worker")
    assert (len(head), len(first)) == (1, 1)
    until(lambda: answering(ingress, service) == head | first, 120, lambda: f"not both of {head | first}")

    # The test Kubernetes has nobody who enforces NetworkPolicies, so that the token is what keeps this one out.
    (workers,) = kubectl.items("deployments", "-l", "component=worker")
    env = workers["spec"]["template"]["spec"]["containers"][0]["env"]
    (address,) = (entry["value"] for entry in env if entry["name"] == "RAY_ADDRESS")
    said = stranger(kubectl, image, address)
    assert "REFUSED" in said, said
    assert "CONNECTED" not in said, said
    closed = kubectl.get("networkpolicy", "projection-ray")["spec"]
    assert closed["ingress"] == [{"from": [{"podSelector": closed["podSelector"]}]}]

    kubectl("delete", "pod", *first, "--grace-period=0", "--force")
    assert answering(ingress, service) <= head | first

    def joined() -> bool:
        now = pods(kubectl, "worker")
        return len(now) == 1 and now != first and kubectl.condition("projection")["status"] == "True"

    until(joined, 180, lambda: f"no worker in the place of {first}: {kubectl.isvc('projection').get('status')}")
    assert answering(ingress, service)
