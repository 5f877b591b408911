"""A model that spans pods, against a real kube-apiserver and the operator with the chart's rights."""

from __future__ import annotations

import base64

import pytest
from modelwright_operator.cluster.resources import (
    AUTOSCALER,
    DEPLOYMENT,
    INFERENCE_SERVICE,
    NETWORK_POLICY,
    SECRET,
    SERVICE,
)

from tests.controlplane.api import Api, RefusedError, condition, isvc, until
from tests.controlplane.operator_process import OperatorProcess

pytestmark = pytest.mark.usefixtures("operator")

RAY = "modelwright.dev/ray"
SPANNING = {"workerSpec": {"size": 2}}


def create(admin: Api, namespace: str, **fields) -> dict:
    made = admin.create(INFERENCE_SERVICE, namespace, isvc("m", **{**SPANNING, **fields}))
    until(lambda: condition(admin.get(INFERENCE_SERVICE, namespace, "m"), "WorkersReady"), what="WorkersReady")
    return made


def revision(admin: Api, namespace: str, name: str) -> str:
    return admin.get(DEPLOYMENT, namespace, name)["spec"]["template"]["metadata"]["labels"][RAY]


def heads(admin: Api, namespace: str) -> list[str]:
    names = [found["metadata"]["name"] for found in admin.items(SERVICE, namespace)]
    return [name for name in names if name.startswith("m-head-")]


def token_of(made: dict) -> str:
    return f"m-ray-{made['metadata']['uid'][:8]}"


def test_head_workers_policies_and_token_are_made_and_belong_to_the_service(admin: Api, namespace: str) -> None:
    made = create(admin, namespace)
    workers = until(lambda: admin.find(DEPLOYMENT, namespace, "m-predictor-worker"), what="the workers")
    until(lambda: admin.find(DEPLOYMENT, namespace, "m-predictor"), what="the head")
    secret = until(lambda: admin.find(SECRET, namespace, token_of(made)), what="the token")
    policies = [until(lambda n=n: admin.find(NETWORK_POLICY, namespace, n), what=n) for n in ("m-ray", "m-predictor")]
    assert workers["spec"]["replicas"] == 2
    assert heads(admin, namespace) == [f"m-head-{revision(admin, namespace, 'm-predictor')}"]
    assert admin.find(AUTOSCALER, namespace, "m-predictor") is None
    assert len(base64.b64decode(secret["data"]["token"])) == 64
    for child in (workers, secret, *policies):
        (reference,) = child["metadata"]["ownerReferences"]
        assert (reference["uid"], reference["controller"]) == (made["metadata"]["uid"], True)


def test_the_status_names_what_has_not_joined(admin: Api, namespace: str) -> None:
    create(admin, namespace)

    def told() -> str | None:
        found = condition(admin.get(INFERENCE_SERVICE, namespace, "m"), "WorkersReady")
        message = found.get("message", "")
        return message if message.startswith("0 of 2 workers have joined Ray; pod m-predictor-worker-") else None

    # Why it has not, depends on whether the scheduler has looked already, and on the machine.
    assert until(told, what="a worker's name in the status").partition(": ")[2]


def test_a_change_moves_head_and_workers_to_a_ray_of_their_own(admin: Api, namespace: str) -> None:
    create(admin, namespace)
    before = revision(admin, namespace, "m-predictor")
    admin.merge(INFERENCE_SERVICE, namespace, "m", {"spec": {"predictor": {"workerSpec": {"size": 3}}}})

    def moved() -> bool:
        found = {revision(admin, namespace, name) for name in ("m-predictor", "m-predictor-worker")}
        return len(found) == 1 and before not in found and heads(admin, namespace) == [f"m-head-{found.pop()}"]

    until(moved, what="another revision of both")
    assert admin.get(DEPLOYMENT, namespace, "m-predictor-worker")["spec"]["replicas"] == 3


def test_without_workers_again_nothing_of_them_is_left(admin: Api, namespace: str) -> None:
    create(admin, namespace)
    until(lambda: admin.find(DEPLOYMENT, namespace, "m-predictor-worker"), what="the workers")
    admin.merge(INFERENCE_SERVICE, namespace, "m", {"spec": {"predictor": {"workerSpec": None}}})
    until(lambda: admin.find(DEPLOYMENT, namespace, "m-predictor-worker") is None, what="no workers")
    until(lambda: not admin.items(NETWORK_POLICY, namespace), what="no policies")
    until(lambda: not heads(admin, namespace), what="no Service of the head")
    until(lambda: admin.find(AUTOSCALER, namespace, "m-predictor"), what="an autoscaler")
    until(lambda: not condition(admin.get(INFERENCE_SERVICE, namespace, "m"), "WorkersReady"), what="no such condition")


def test_a_token_that_is_there_is_left_as_it_is(admin: Api, namespace: str, operator: OperatorProcess) -> None:
    made = create(admin, namespace)
    before = until(lambda: admin.find(SECRET, namespace, token_of(made)), what="the token")
    assert operator.stop() == 0, operator.log
    operator.start()
    admin.merge(INFERENCE_SERVICE, namespace, "m", {"metadata": {"labels": {"team": "blue"}}})
    until(
        lambda: admin.get(DEPLOYMENT, namespace, "m-predictor-worker")["metadata"]["labels"].get("team") == "blue",
        what="a pass of the new process",
    )
    after = admin.get(SECRET, namespace, token_of(made))
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    with pytest.raises(RefusedError, match="immutable"):
        admin.merge(SECRET, namespace, token_of(made), {"stringData": {"token": "known"}})
    assert before["data"]["token"] not in operator.log


def test_a_deleted_token_is_back_while_pods_wait_for_it(admin: Api, namespace: str) -> None:
    made = create(admin, namespace)
    until(lambda: admin.find(SECRET, namespace, token_of(made)), what="the token")
    admin.delete(SECRET, namespace, token_of(made))

    def back() -> bool:
        # Any event about the service is a pass: here, one after the other, somebody's label.
        count = str(len(admin.items(SECRET, namespace)))
        generation = admin.get(INFERENCE_SERVICE, namespace, "m")["metadata"]["resourceVersion"]
        admin.merge(INFERENCE_SERVICE, namespace, "m", {"metadata": {"labels": {"seen": f"{count}-{generation}"}}})
        return admin.find(SECRET, namespace, token_of(made)) is not None

    until(back, seconds=90.0, what="another token")
