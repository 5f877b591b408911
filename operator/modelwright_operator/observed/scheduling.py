"""Pods that no node takes: why, and what to do."""

import re
from collections.abc import Mapping
from typing import Any

from modelwright_operator.observed.failure import Failure

_CLAIM = re.compile(r'persistentvolumeclaim "([^"]+)" (not found|is being deleted)')
_INSUFFICIENT = re.compile(r"Insufficient ([\w./-]+)")
_ASIDE = re.compile(r"\s*(?:preemption: .*$|no new claims to deallocate[.,]?)", re.DOTALL)


def scheduling_failure(pod: Mapping[str, Any]) -> Failure | None:
    """Return why no node takes the pod, None where one does or the scheduler has not looked yet."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    scheduled = next((c for c in conditions if c.get("type") == "PodScheduled"), None)
    if scheduled is None or scheduled.get("status") != "False":
        return None
    message = str(scheduled.get("message", ""))
    cause, remedy, blocking = _explained(_ASIDE.sub("", message).rstrip("., "))
    return Failure(
        reason=str(scheduled.get("reason") or "Unschedulable"),
        cause=cause,
        remedy=remedy,
        pod=str((pod.get("metadata") or {}).get("name", "")),
        detail=message,
        time=scheduled.get("lastTransitionTime"),
        blocking=blocking,
    )


def _explained(message: str) -> tuple[str, str, bool]:
    """Return cause, remedy, and whether waiting cannot help."""
    if claim := _CLAIM.search(message):
        state = "does not exist" if claim[2] == "not found" else claim[2]
        return (
            f"PersistentVolumeClaim {claim[1]!r} {state}",
            "Create it in the InferenceService's namespace; the pod then starts by itself",
            True,
        )
    if "unbound immediate PersistentVolumeClaims" in message:
        return (
            f"a PersistentVolumeClaim of the pod is not bound ({message})",
            "Check the claim's StorageClass and size: kubectl describe pvc",
            True,
        )
    if lacking := sorted(set(_INSUFFICIENT.findall(message))):
        return (
            f"no node has enough {' and '.join(lacking)} ({message})",
            "Lower the resource requests, or add a node",
            False,
        )
    if message:
        return message, "Check nodeSelector, affinity and tolerations against the nodes", False
    return "no node takes the pod", "See: kubectl describe pod", False
