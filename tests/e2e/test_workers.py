"""A model that spans two pods: a replica on each, a token between them, and a worker that dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import yaml

from buildpacks.build import build
from cluster.info import ClusterInfo
from tests.e2e.images import EXAMPLES
from tests.e2e.ingress import Ingress
from tests.e2e.kubectl import Kubectl, until
from tests.e2e.objects import LAUNCHER, REGISTRY

IMAGE = f"{REGISTRY}/ray-workers:dev"
OF_SERVICE = "serving.kserve.io/inferenceservice=projection"
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


@pytest.fixture(scope="module")
def image(cluster: ClusterInfo, tmp_path_factory: pytest.TempPathFactory) -> str:
    assert cluster.registry == "localhost:5000"
    build(EXAMPLES / "12-ray-workers", IMAGE, log=tmp_path_factory.mktemp("ray-workers") / "build.log")
    return IMAGE


@pytest.fixture
def spanning(image: str) -> dict:
    """The example's InferenceService, with the image of this run."""
    isvc: dict = yaml.safe_load((EXAMPLES / "12-ray-workers/isvc.yaml").read_text())
    # A cluster that stays up has the tag of an earlier build.
    isvc["spec"]["predictor"]["containers"][0] |= {"image": image, "imagePullPolicy": "Always"}
    return isvc


def pods(kubectl: Kubectl, component: str) -> set[str]:
    found = kubectl.items("pods", "-l", f"{OF_SERVICE},component={component}")
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
    kubectl: Kubectl, ingress: Ingress, image: str, spanning: dict
) -> None:
    kubectl.apply(spanning)
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


@contextmanager
def callers(ingress: Ingress, service: dict) -> Iterator[list[str]]:
    """Three callers, one request after the other until the end; yields what was answered instead of predictions."""
    refused: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answer = ingress.predict_once(service, ROWS)
            if answer.status != 200:
                refused.append(f"{answer.status} {answer.body}")

    with ThreadPoolExecutor(3) as threads:
        asking = [threads.submit(ask) for _ in range(3)]
        try:
            yield refused
        finally:
            stop.set()
    for each in asking:
        each.result()


def test_a_change_loses_no_request_and_a_head_that_starts_again_has_its_workers_back(
    kubectl: Kubectl, ingress: Ingress, spanning: dict
) -> None:
    kubectl.apply(spanning)
    service = kubectl.wait_ready("projection", 240)
    assert ingress.predict(service, ROWS).status == 200
    before = pods(kubectl, "predictor") | pods(kubectl, "worker")
    with callers(ingress, service) as refused:
        spanning["spec"]["predictor"]["containers"][0]["env"] = [{"name": "EDITION", "value": "2"}]
        kubectl.apply(spanning)
        kubectl.wait_ready("projection", 300)

        def alone() -> set[str] | None:
            now = {pod["metadata"]["name"] for pod in kubectl.items("pods", "-l", OF_SERVICE)}
            return None if now & before else now

        # With those that are leaving, which still have requests.
        until(alone, 180, lambda: f"of {before} there are still pods")
    assert refused == []

    (head,) = pods(kubectl, "predictor")

    def starts() -> int:
        return kubectl.get("pod", head)["status"]["containerStatuses"][0]["restartCount"]

    # PID 1 heeds no signal that it has no handler for; the second tells it to give up what it is draining.
    for _ in range(2):
        kubectl("exec", head, "--", LAUNCHER, "--", "python", "-c", "import os; os.kill(1, 2)", check=False)
    until(lambda: starts() > 0, 120, lambda: f"{head} has not ended")
    both = pods(kubectl, "predictor") | pods(kubectl, "worker")
    kubectl.wait_ready("projection", 240)
    until(lambda: answering(ingress, service) == both, 120, lambda: f"not both of {both}")
