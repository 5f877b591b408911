"""Kubernetes events for what changed between two statuses of a ModelImage."""

from collections.abc import Mapping
from typing import Any

from modelwright_operator.observed.conditions import READY
from modelwright_operator.observed.events import Event, condition_of


def build_transitions(previous: Mapping[str, Any], status: Mapping[str, Any]) -> list[Event]:
    """Return the events for the step from one status to the next."""
    result = []
    if status.get("buildCount", 0) > previous.get("buildCount", 0):
        result.append(Event("Normal", "BuildStarted", f"{status.get('latestBuild', 'a build')} started"))
    if (image := status.get("latestImage")) and image != previous.get("latestImage"):
        result.append(Event("Normal", "ImageBuilt", f"{image} is built; what runs modelimage:// of it follows"))
    before, after = condition_of(previous, READY), condition_of(status, READY)
    if after.get("status") == "False" and before.get("reason") != after.get("reason"):
        result.append(Event("Warning", str(after.get("reason") or "NotReady"), str(after.get("message", ""))))
    return result
