"""Which writes a pass makes."""

from __future__ import annotations

from typing import Any

import pytest
from modelwright_operator.cluster.cache import Key, ObjectId
from modelwright_operator.cluster.drift import stamp
from modelwright_operator.plan import Plan, make_plan

OWNER = Key("ns", "m")
SERVICE = ObjectId("Service", "m-predictor")


def child(kind: str = "Service", *, uid: str = "owner", owner: str = "m", **metadata: Any) -> dict[str, Any]:
    reference = {"kind": "InferenceService", "name": owner, "uid": uid, "controller": True}
    return {
        "kind": kind,
        "metadata": {"name": "m-predictor", "namespace": "ns", "ownerReferences": [reference], **metadata},
        "spec": {"ports": [{"port": 80}]},
    }


def stored(manifest: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {**manifest, "metadata": {**manifest["metadata"], "uid": "live", **metadata}}


def plan(desired: list[dict[str, Any]], live: list[dict[str, Any]], tolerated: Any = None) -> Plan:
    by_id = {ObjectId(obj["kind"], obj["metadata"]["name"]): obj for obj in live}
    return make_plan(desired, by_id, owner=OWNER, uid="owner", tolerated=tolerated or {})


def test_what_is_there_as_wanted_needs_no_write():
    wanted = stamp(child())
    assert plan([wanted], [stored(wanted)]) == Plan()


def test_what_is_missing_is_created_and_must_not_exist():
    (write,) = plan([stamp(child())], []).writes
    assert (write.oid, write.uid, write.drifted) == (SERVICE, None, False)


def test_what_somebody_changed_is_written_over_that_very_object():
    wanted = stamp(child())
    (write,) = plan([wanted], [stored({**wanted, "spec": {"ports": [{"port": 81}]}})]).writes
    assert (write.uid, write.drifted) == ("live", True)
    assert write.reasons == ("spec.ports[80/TCP]: missing",)


def test_a_new_wish_is_no_drift():
    old, new = stamp(child()), stamp({**child(), "spec": {"ports": [{"port": 80, "name": "http"}]}})
    (write,) = plan([new], [stored(old)]).writes
    assert not write.drifted


def test_a_difference_that_an_apply_left_is_not_written_again():
    wanted = stamp(child())
    live = stored({**wanted, "spec": {"ports": [{"port": 80, "name": "x"}], "type": "y"}})
    odd = {**wanted, "spec": {"type": "Y", "ports": [{"port": 80}]}}
    assert plan([odd], [live]).writes
    assert plan([odd], [live], {SERVICE: frozenset({'spec.type: "y" instead of "Y"'})}) == Plan()


def deployment(**spec: Any) -> dict[str, Any]:
    return stamp({**child("Deployment"), "apiVersion": "apps/v1", "spec": spec})


def owned_by(manager: str) -> list[dict[str, Any]]:
    return [{"manager": manager, "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:paused": {}}}}]


def test_replicas_that_are_given_up_are_handed_over_with_their_live_value():
    live = stored(deployment(replicas=3), managedFields=owned_by("modelwright"))
    (write,) = plan([deployment()], [live]).writes
    assert write.handover == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "m-predictor", "namespace": "ns"},
        "spec": {"replicas": 3},
    }


@pytest.mark.parametrize(
    ("wanted", "manager"), [({"replicas": 2}, "modelwright"), ({}, "kube-controller-manager"), ({}, "")]
)
def test_replicas_that_are_kept_or_are_another_managers_are_not_handed_over(wanted, manager):
    live = stored(deployment(replicas=3, paused=True), managedFields=owned_by(manager))
    (write,) = plan([deployment(**wanted)], [live]).writes
    assert write.handover is None


def test_what_is_no_longer_wanted_is_pruned_if_it_is_ours():
    ours, deployment = stored(child("HorizontalPodAutoscaler")), stored(child("Deployment"))
    pruned = plan([stamp(child("Deployment"))], [ours, deployment]).prune
    assert pruned == [ours]


@pytest.mark.parametrize(
    "obj",
    [
        stored(child("HorizontalPodAutoscaler", uid="another")),
        {**stored(child("HorizontalPodAutoscaler")), "metadata": {"name": "m-predictor"}},
        stored(child("HorizontalPodAutoscaler"), deletionTimestamp="2026-01-01T00:00:00Z"),
        stored(child("Pod")),
    ],
    ids=["of another owner", "of no owner", "already leaving", "a pod"],
)
def test_what_is_not_ours_to_prune_stays(obj):
    assert plan([], [obj]).prune == []


def test_somebody_elses_object_is_never_written():
    found = plan([stamp(child())], [stored(child(uid="x", owner="another"))])
    assert (found.taken, found.writes, found.prune) == ([SERVICE], [], [])


def test_a_predecessors_object_is_waited_for():
    found = plan([stamp(child())], [stored(child(uid="before"))])
    assert (found.leaving, found.taken, found.writes) == ([SERVICE], [], [])


def test_an_object_that_is_being_deleted_is_waited_for():
    found = plan([stamp(child())], [stored(stamp(child()), deletionTimestamp="2026-01-01T00:00:00Z")])
    assert (found.leaving, found.writes) == ([SERVICE], [])
