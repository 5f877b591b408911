"""WorkersReady: a worker that is not there is named, with what it waits for and what to do."""

from typing import Any

import pytest
from modelwright_operator.desired import Problem

from tests.unit.operator.observed.build import (
    NEW,
    NOW,
    RUNNING,
    Cluster,
    condition,
    ended,
    isvc,
    pod,
    ready_pod,
    waiting,
)

POD = "iris-predictor-worker-7d9f8c6b5d-abcde"


def spanning(size: int = 1) -> Cluster:
    """A cluster whose predictor is ready."""
    return Cluster(isvc({"workerSpec": {"size": size}})).complete().with_pods(ready_pod())


def with_workers(cluster: Cluster, available: int, *pods: dict[str, Any], complete: bool = True) -> dict[str, Any]:
    deployment = cluster.children["Deployment", "iris-predictor-worker"]
    size = deployment["spec"]["replicas"]
    deployment["metadata"]["generation"] = 1
    reason = "NewReplicaSetAvailable" if complete else "ReplicaSetUpdated"
    text = f'ReplicaSet "iris-predictor-worker-{NEW}" is progressing.'
    deployment["status"] = {
        "observedGeneration": 1,
        "replicas": size,
        "updatedReplicas": size,
        "availableReplicas": available,
        "conditions": [{"type": "Progressing", "status": "True", "reason": reason, "message": text}],
    }
    cluster.workers = [_as_worker(each) for each in pods]
    return cluster.status()


def _as_worker(pod: dict[str, Any]) -> dict[str, Any]:
    """Give a pod's container the name that a worker's has."""
    for container in (*pod["spec"]["containers"], *pod["status"].get("containerStatuses", [])):
        container["name"] = "worker-container"
    return pod


def test_all_workers_make_the_service_ready() -> None:
    status = with_workers(spanning(), 1, ready_pod(POD))
    assert condition(status, "WorkersReady") == {"type": "WorkersReady", "status": "True", "lastTransitionTime": NOW}
    assert condition(status)["status"] == "True"


def test_a_model_without_workers_has_no_such_condition() -> None:
    assert not condition(Cluster().complete().status(), "WorkersReady")


def test_a_worker_on_its_way_is_named_with_what_it_does() -> None:
    status = with_workers(spanning(2), 1, ready_pod(f"{POD}2"), pod(POD, state=RUNNING), complete=False)
    found = condition(status, "WorkersReady")
    assert (found["status"], found["reason"]) == ("Unknown", "RolloutInProgress")
    expected = (
        f"1 of 2 workers have joined Ray; pod {POD}: it runs, but has not joined Ray yet (why: kubectl logs {POD})"
    )
    assert found["message"] == expected
    assert condition(status)["message"] == expected


def test_a_worker_that_is_lost_makes_the_service_unready_until_it_is_back() -> None:
    cluster = spanning()
    status = with_workers(cluster, 0, pod(POD, state=waiting("ContainerCreating")))
    found = condition(status, "WorkersReady")
    assert (found["status"], found["reason"]) == ("False", "WorkersMissing")
    assert "Secret iris-ray-u-1 to mount" in found["message"]
    assert condition(status)["reason"] == "WorkersMissing"
    assert condition(status, "Reconciling")["status"] == "True"
    assert condition(with_workers(cluster, 1, ready_pod(POD)))["status"] == "True"


@pytest.mark.parametrize(
    ("lost", "reason", "words", "kind"),
    [
        (pod(POD, state=waiting("ImagePullBackOff")), "ImagePullBackOff", "container worker-container", "Stalled"),
        (
            pod(POD, state=waiting("CrashLoopBackOff"), last=ended(2, "modelwright: join needs Ray")),
            "CrashLoopBackOff",
            "join needs Ray",
            "Stalled",
        ),
        (
            pod(
                POD, scheduled={"status": "False", "reason": "Unschedulable", "message": "Insufficient nvidia.com/gpu"}
            ),
            "Unschedulable",
            "Lower the resource requests, or add a node",
            "Reconciling",
        ),
    ],
    ids=["image", "crash", "gpu"],
)
def test_what_keeps_a_worker_away_is_told(lost: dict[str, Any], reason: str, words: str, kind: str) -> None:
    status = with_workers(spanning(), 0, lost, complete=False)
    found = condition(status, "WorkersReady")
    assert found["status"] == "False"
    assert found["reason"] in (reason, "Error", "ModelLoadFailed"), found
    assert found["message"].startswith(f"0 of 1 workers have joined Ray; pod {POD}")
    assert words in found["message"]
    assert condition(status, kind)["status"] == "True"


def test_what_cannot_be_applied_is_the_predictors_to_say() -> None:
    cluster = spanning()
    cluster.problems = [Problem("spec.predictor.workerSpec", "wrong")]
    status = cluster.status()
    assert not condition(status, "WorkersReady")
    assert condition(status)["reason"] == "InvalidSpec"


def test_a_stopping_service_waits_for_its_workers_to_end() -> None:
    cluster = Cluster(isvc({"workerSpec": {}}, annotations={"serving.kserve.io/stop": "true"}))
    cluster.workers = [_as_worker(pod(POD, deleted=True))]
    assert condition(cluster.status(), "Stopped")["status"] == "False"
    cluster.workers = []
    assert condition(cluster.status(), "Stopped")["status"] == "True"
