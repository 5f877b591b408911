"""How a Job went, and its pod."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

JobState = Literal["running", "succeeded", "failed"]


def job_state(job: Mapping[str, Any]) -> JobState:
    """Return how a Job went; one that is about to have failed has."""
    for condition in (job.get("status") or {}).get("conditions") or []:
        if condition.get("status") != "True":
            continue
        if condition.get("type") == "Complete":
            return "succeeded"
        if condition.get("type") in ("Failed", "FailureTarget"):
            return "failed"
    return "running"


def finished_at(job: Mapping[str, Any]) -> str:
    """Return when a Job ended, RFC 3339; empty while it runs."""
    for condition in (job.get("status") or {}).get("conditions") or []:
        if condition.get("type") in ("Complete", "Failed") and condition.get("status") == "True":
            return str(condition.get("lastTransitionTime") or "")
    return ""


def timed_out(job: Mapping[str, Any]) -> bool:
    """Return whether a Job was ended because it took too long."""
    conditions = (job.get("status") or {}).get("conditions") or []
    return any(condition.get("reason") == "DeadlineExceeded" for condition in conditions)


def pod_of(job: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return a Job's newest pod, None where it has none (any more)."""
    uid = job["metadata"]["uid"]
    own = [pod for pod in pods if _owner(pod) == uid]
    return max(own, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), default=None)


def message_of(pod: Mapping[str, Any] | None, container: str) -> str:
    """Return what a container that ended left as its termination message; empty where there is none."""
    ended = (container_status(pod, container).get("state") or {}).get("terminated") or {}
    return str(ended.get("message") or "")


def container_status(pod: Mapping[str, Any] | None, container: str) -> Mapping[str, Any]:
    """Return the status of one container of a pod, empty while there is none."""
    status = (pod or {}).get("status") or {}
    listed = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    found: Mapping[str, Any] = next((each for each in listed if each.get("name") == container), {})
    return found


def _owner(pod: Mapping[str, Any]) -> str | None:
    owners = pod["metadata"].get("ownerReferences") or []
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), None)
