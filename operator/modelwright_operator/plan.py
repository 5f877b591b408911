"""What to write so that the live children become the desired ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelwright_operator.cluster.cache import Key, ObjectId
from modelwright_operator.cluster.drift import APPLIED_LABEL, differences
from modelwright_operator.cluster.ownership import handover
from modelwright_operator.cluster.resources import CHILDREN

Manifest = dict[str, Any]

_OWNED_KINDS = frozenset(resource.kind for resource in CHILDREN)


@dataclass(frozen=True, slots=True)
class Write:
    """One manifest to apply: ``uid`` of the object to change, None to create it, and what differs."""

    manifest: Manifest
    uid: str | None
    reasons: tuple[str, ...] = ()
    drifted: bool = False
    """Whether somebody changed the object, rather than the InferenceService asking for something new."""
    handover: Manifest | None = None
    """What another manager applies first, so that giving up a field does not reset it."""

    @property
    def oid(self) -> ObjectId:
        """Kind and name."""
        return object_id(self.manifest)


@dataclass(slots=True)
class Plan:
    """The writes of one pass; all empty in a steady state."""

    writes: list[Write] = field(default_factory=list)
    prune: list[Manifest] = field(default_factory=list)
    taken: list[ObjectId] = field(default_factory=list)
    """Names that objects of somebody else hold."""
    leaving: list[ObjectId] = field(default_factory=list)
    """Names that objects which are being deleted still hold."""
    contested: list[Write] = field(default_factory=list)
    """Writes withheld because somebody undoes them each time."""


def object_id(manifest: Mapping[str, Any]) -> ObjectId:
    """Return a manifest's kind and name."""
    return ObjectId(manifest["kind"], manifest["metadata"]["name"])


def make_plan(
    desired: Sequence[Manifest],
    live: Mapping[ObjectId, Manifest],
    *,
    owner: Key,
    uid: str,
    tolerated: Mapping[ObjectId, frozenset[str]],
) -> Plan:
    """Compare desired with live children.

    Args:
        desired: stamped manifests (`cluster.drift.stamp`).
        live: what the cache holds for the InferenceService; pods are ignored.
        owner: the InferenceService.
        uid: its uid.
        tolerated: differences that remained right after an apply: the API server's way of writing the same.
    """
    plan = Plan()
    for manifest in desired:
        oid = object_id(manifest)
        found = live.get(oid)
        if found is None:
            plan.writes.append(Write(manifest, uid=None))
        else:
            _compare(plan, manifest, found, owner, uid, tolerated.get(oid, frozenset()))
    wanted = {object_id(manifest) for manifest in desired}
    plan.prune = [
        found
        for oid, found in live.items()
        if oid.kind in _OWNED_KINDS and oid not in wanted and controller_uid(found) == uid and not leaving(found)
    ]
    return plan


def _compare(plan: Plan, manifest: Manifest, found: Manifest, owner: Key, uid: str, tolerated: frozenset[str]) -> None:
    oid = object_id(manifest)
    if leaving(found) or is_predecessors(found, owner, uid):
        plan.leaving.append(oid)
    elif controller_uid(found) != uid:
        plan.taken.append(oid)
    else:
        reasons = tuple(line for line in differences(manifest, found) if line not in tolerated)
        if reasons:
            drifted = _applied(manifest) == _applied(found)
            plan.writes.append(
                Write(manifest, found["metadata"]["uid"], reasons, drifted, handover=handover(manifest, found))
            )


def controller_uid(obj: Mapping[str, Any]) -> str | None:
    """Return the uid of an object's controlling owner."""
    return next((str(ref["uid"]) for ref in _owners(obj) if ref.get("controller")), None)


def is_predecessors(obj: Mapping[str, Any], owner: Key, uid: str) -> bool:
    """Say whether an object belongs to a deleted InferenceService of the same name; it will be collected soon."""
    return any(
        ref.get("controller") and ref["kind"] == "InferenceService" and ref["name"] == owner.name and ref["uid"] != uid
        for ref in _owners(obj)
    )


def leaving(obj: Mapping[str, Any]) -> bool:
    """Say whether an object is being deleted."""
    return "deletionTimestamp" in obj["metadata"]


def _owners(obj: Mapping[str, Any]) -> list[dict[str, Any]]:
    return obj["metadata"].get("ownerReferences") or []


def _applied(obj: Mapping[str, Any]) -> str | None:
    value = (obj["metadata"].get("labels") or {}).get(APPLIED_LABEL)
    return str(value) if value is not None else None
