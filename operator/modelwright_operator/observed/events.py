"""Kubernetes events for what changed between two statuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from modelwright_operator.observed.conditions import READY, STOPPED


@dataclass(frozen=True)
class Event:
    """One event: `type` is Normal or Warning, `reason` one CamelCase word, `message` a sentence."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def transitions(previous: Mapping[str, Any], status: Mapping[str, Any]) -> list[Event]:
    """Return the events for the step from one status to the next.

    A message that changes while its reason lasts is no event: a crash loop would make one for every crash.
    """
    before, after = condition_of(previous, READY), condition_of(status, READY)
    if condition_of(status, STOPPED).get("status") == "True":
        if condition_of(previous, STOPPED).get("status") == "True":
            return []
        return [Event("Normal", "Stopped", "Stopped: no pods run, and no route leads to it")]
    if (before.get("status"), before.get("reason")) == (after.get("status"), after.get("reason")):
        return []
    message = str(after.get("message", ""))
    if after.get("status") == "True":
        return [Event("Normal", "InferenceServiceReady", f"InferenceService is ready at {status.get('url', '')}")]
    result = []
    if before.get("status") == "True" and after.get("status") == "False":
        result.append(Event("Warning", "InferenceServiceNotReady", "InferenceService is not ready any more"))
    kind: Literal["Normal", "Warning"] = "Warning" if after.get("status") == "False" else "Normal"
    result.append(Event(kind, str(after.get("reason") or "InferenceServiceNotReady"), message))
    return result


def is_ready(status: Mapping[str, Any]) -> bool:
    """Say whether a status is Ready."""
    return condition_of(status, READY).get("status") == "True"


def condition_of(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return a condition of a status, empty while it has none."""
    found: Mapping[str, Any] = next((c for c in status.get("conditions") or [] if c.get("type") == kind), {})
    return found
