"""Conditions in the shape of KServe's status, with transition times that only move when a status changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from modelwright_operator.observed.text import shortened

State = Literal["True", "False", "Unknown"]

READY = "Ready"
PREDICTOR_READY = "PredictorReady"
WORKERS_READY = "WorkersReady"
INGRESS_READY = "IngressReady"
STOPPED = "Stopped"
RECONCILING = "Reconciling"
STALLED = "Stalled"
IMAGE_OUTDATED = "ImageOutdated"
"""Only while True: the service runs an image that a newer build was to replace."""

_INFORMATIONAL = (STOPPED, RECONCILING, STALLED, IMAGE_OUTDATED)


@dataclass(frozen=True)
class Condition:
    """One condition, without its time."""

    type: str
    status: State
    reason: str = ""
    message: str = ""


def all_of(type_: str, parts: Iterable[Condition]) -> Condition:
    """Return the condition that is True when every part is; the first part that is False, else Unknown, says why."""
    parts = list(parts)
    for state in ("False", "Unknown"):
        for part in parts:
            if part.status == state:
                return Condition(type_, part.status, part.reason, part.message)
    return Condition(type_, "True")


def rendered(conditions: Iterable[Condition], previous: Mapping[str, Any], now: str) -> list[dict[str, Any]]:
    """Return the conditions as the status holds them, sorted by type as KServe does.

    `previous` is the stored status, `now` the time as RFC 3339: it is used where a status differs from the
    stored one.
    """
    stored = {condition.get("type"): condition for condition in previous.get("conditions") or []}
    result = []
    for condition in sorted(conditions, key=lambda c: c.type):
        entry: dict[str, Any] = {"type": condition.type, "status": condition.status}
        if condition.type in _INFORMATIONAL:
            entry["severity"] = "Info"
        if condition.reason:
            entry["reason"] = condition.reason
        if condition.message:
            entry["message"] = shortened(condition.message)
        before = stored.get(condition.type) or {}
        same = before.get("status") == condition.status and before.get("lastTransitionTime")
        entry["lastTransitionTime"] = before["lastTransitionTime"] if same else now
        result.append(entry)
    return result
