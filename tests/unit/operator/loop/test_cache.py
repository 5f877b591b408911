"""The watch cache: newer versions win, and only what matters wakes anybody."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from modelwright_operator.cluster.cache import Cache, Key, ObjectId
from modelwright_operator.cluster.reflector import AccountSink, ChildSink
from modelwright_operator.cluster.trim import trim
from modelwright_operator.handlers import observe_service
from modelwright_operator.queue import KeyedQueue

M = Key("ns", "m")
AUTOSCALER = ObjectId("HorizontalPodAutoscaler", "m-predictor")


@pytest.fixture
def cache() -> Cache:
    return Cache()


def obj(kind: str, name: str, version: int, *, owner: str = "m", **body: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "ns", "uid": name, "resourceVersion": str(version)}
    metadata["managedFields"] = [{"manager": "somebody"}]
    if owner:
        metadata["labels"] = {"serving.kserve.io/inferenceservice": owner}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **body}


def scaler(version: int, **body: Any) -> dict[str, Any]:
    return obj("HorizontalPodAutoscaler", "m-predictor", version, **body)


def test_a_new_child_wakes_its_service(cache):
    assert cache.put(scaler(1, spec={"minReplicas": 1})) == {M}
    assert cache.objects(M)[AUTOSCALER]["spec"] == {"minReplicas": 1}


def test_measurements_of_an_autoscaler_wake_nobody(cache):
    cache.put(scaler(1, spec={}, status={"currentReplicas": 1}))
    assert cache.put(scaler(2, spec={}, status={"currentReplicas": 2})) == set()


def test_of_managed_fields_only_the_ownership_of_replicas_is_kept(cache):
    live = obj("Deployment", "m-predictor", 1, spec={"replicas": 3})
    fields = {"f:spec": {"f:replicas": {}, "f:template": {}}}
    live["metadata"]["managedFields"] = [
        {"manager": "modelwright", "operation": "Apply", "time": "2026-01-01T00:00:00Z", "fieldsV1": fields},
        {"manager": "kubectl", "operation": "Update", "fieldsV1": fields},
    ]
    cache.put(live)
    kept = cache.objects(M)[ObjectId("Deployment", "m-predictor")]["metadata"]["managedFields"]
    assert kept == [{"manager": "modelwright", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]


def test_an_older_version_that_comes_late_is_ignored(cache):
    cache.put(scaler(7, spec={"minReplicas": 2}))
    assert cache.put(scaler(6, spec={"minReplicas": 1})) == set()
    assert cache.objects(M)[AUTOSCALER]["spec"] == {"minReplicas": 2}


def test_an_older_deletion_does_not_remove_a_newer_object(cache):
    cache.put(scaler(7))
    assert cache.drop("ns", AUTOSCALER, 6) == set()
    assert cache.drop("ns", AUTOSCALER, 8) == {M}
    assert cache.objects(M) == {}


def test_an_object_that_changes_its_owner_wakes_both(cache):
    cache.put(scaler(1))
    assert cache.put(scaler(2, owner="n")) == {M, Key("ns", "n")}
    assert cache.objects(M) == {}


def test_who_manages_which_field_is_not_kept():
    kept = json.loads(trim(scaler(1, spec={})))
    assert "managedFields" not in kept["metadata"]
    assert "resourceVersion" not in kept["metadata"]


def test_a_pod_keeps_what_a_diagnosis_needs():
    pod = obj(
        "Pod",
        "p",
        1,
        spec={"nodeName": "n", "containers": [{"name": "c", "image": "i", "env": [{"name": "A", "value": "secret"}]}]},
        status={"phase": "Pending", "podIP": "10.0.0.1", "containerStatuses": [{"name": "c", "ready": False}]},
    )
    kept = json.loads(trim(pod))
    assert kept["spec"] == {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}
    assert kept["status"] == {"phase": "Pending", "containerStatuses": [{"name": "c", "ready": False}]}


def test_the_answer_to_our_own_status_write_wakes_nobody(cache):
    service = obj("InferenceService", "m", 1, owner="", spec={})
    written = obj("InferenceService", "m", 2, owner="", spec={}, status={"url": "x"})
    assert cache.put_service(service)
    cache.put_service(written)
    assert not cache.put_service(written)
    assert not cache.put_service(service)
    assert cache.service(M)["status"] == {"url": "x"}


def a_service(version: int, *, status: dict[str, Any] | None = None, **labels: str) -> dict[str, Any]:
    made = obj("InferenceService", "m", version, status=status or {})
    made["metadata"]["labels"] = labels
    return made


def test_what_somebody_wrote_before_our_status_wakes_whoever_has_to_know(cache):
    """The user's label (11) and our status (12), written from what was read before the label (10), answered at once."""
    key = Key("ns", "m")
    cache.put_service(a_service(10))
    read = cache.service(key)
    cache.put_written(a_service(12, status={"url": "u"}, visibility="local"), read)
    assert cache.put_service(a_service(11, visibility="local")), "the watch tells of the label"
    assert cache.service(key)["metadata"]["labels"] == {"visibility": "local"}


def test_an_answer_with_nothing_but_our_status_is_filed(cache):
    cache.put_service(a_service(10))
    cache.put_written(a_service(11, status={"url": "u"}), cache.service(Key("ns", "m")))
    assert not cache.put_service(a_service(11, status={"url": "u"}))
    assert cache.service(Key("ns", "m"))["status"] == {"url": "u"}


def test_a_deleted_service_is_forgotten_but_not_its_successor(cache):
    cache.put_service(obj("InferenceService", "m", 5, owner=""))
    cache.drop_service(M, 4)
    assert cache.service(M)
    cache.drop_service(M, 6)
    assert cache.service(M) is None
    assert cache.services() == []


async def test_an_event_becomes_a_key_and_a_deletion_none(cache):
    queue: KeyedQueue[Key] = KeyedQueue()
    service = obj("InferenceService", "m", 5, owner="")
    observe_service("ADDED", service, cache, queue)
    assert queue.take() == M
    queue.done(M)
    observe_service(None, service, cache, queue)
    assert len(queue) == 0
    observe_service("MODIFIED", obj("InferenceService", "m", 6, owner="", spec={"x": 1}), cache, queue)
    observe_service("DELETED", obj("InferenceService", "m", 7, owner=""), cache, queue)
    assert len(queue) == 0
    await asyncio.sleep(0)
    assert queue.take() is None


def test_a_service_account_with_secrets_wakes_its_namespace_and_a_plain_one_nobody(cache):
    cache.put_service(obj("InferenceService", "m", 1, owner=""))
    told: list[str] = []
    sink = AccountSink(cache, told.append)
    plain = obj("ServiceAccount", "default", 2, owner="")
    assert list(sink.put(plain)) == []
    assert told == []
    assert list(sink.put({**plain, "secrets": [{"name": "s3"}]})) == [M]
    assert cache.account("ns", "default")["secrets"] == [{"name": "s3"}]
    assert list(sink.put(obj("ServiceAccount", "default", 3, owner=""))) == [M]
    assert cache.account("ns", "default") is None
    assert told == ["ns", "ns"]


def test_a_service_account_with_pull_secrets_is_kept_for_builds(cache):
    account = obj("ServiceAccount", "builder", 2, owner="") | {"imagePullSecrets": [{"name": "registry"}]}
    assert cache.put_account(account)
    assert cache.account("ns", "builder")["imagePullSecrets"] == [{"name": "registry"}]


def test_a_sink_knows_its_own_kind_only(cache):
    cache.put(scaler(1))
    cache.put(obj("Service", "m-predictor", 1))
    sink = ChildSink(cache, "Service")
    assert sink.known(None) == [("ns", "m-predictor")]
    assert sink.known("elsewhere") == []
    assert list(sink.drop("ns", "m-predictor", 9)) == [M]
    assert AUTOSCALER in cache.objects(M)
