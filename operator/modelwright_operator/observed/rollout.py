"""How far the Deployment is: from its status to one of a few answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelwright_operator.observed.failure import Failure


@dataclass(frozen=True)
class Rollout:
    """The state of the predictor's Deployment."""

    done: bool
    """Whether every pod is of the newest template and the Deployment has called the rollout complete."""
    available: int
    """Pods of any version that answer requests."""
    updated_available: bool
    """Whether `available` counts only pods of the newest template."""
    wanted: int
    """Pods that the Deployment should have."""
    updated: int
    """Pods of the newest template."""
    seen: bool
    """Whether the Deployment controller has seen the newest template at all."""
    failure: Failure | None
    """What the Deployment itself reports: pods that may not be created, or no progress within its
    deadline."""


def rollout_of(deployment: Mapping[str, Any] | None) -> Rollout:
    """Return the state of a Deployment; of none, that nothing has happened yet."""
    if deployment is None:
        return Rollout(False, 0, False, 1, 0, False, None)
    status = deployment.get("status") or {}
    wanted = int((deployment.get("spec") or {}).get("replicas", 1))
    replicas, updated = int(status.get("replicas", 0)), int(status.get("updatedReplicas", 0))
    available = int(status.get("availableReplicas", 0))
    generation = (deployment.get("metadata") or {}).get("generation", 0)
    seen = int(status.get("observedGeneration", 0)) >= int(generation)
    complete = _condition(status, "Progressing").get("reason") == "NewReplicaSetAvailable"
    return Rollout(
        # Once complete, more replicas that the autoscaler asks for do not make it a rollout again.
        done=seen and replicas == updated > 0 and (complete or wanted == updated == available),
        available=available,
        updated_available=replicas == updated,
        wanted=wanted,
        updated=updated,
        seen=seen,
        failure=_failure(deployment, status) if seen else None,
    )


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next((c for c in status.get("conditions") or [] if c.get("type") == kind), {})
    return found


def _failure(deployment: Mapping[str, Any], status: Mapping[str, Any]) -> Failure | None:
    name = (deployment.get("metadata") or {}).get("name", "")
    refused = _condition(status, "ReplicaFailure")
    if refused.get("status") == "True":
        message = str(refused.get("message", "")).rstrip(".")
        return Failure(
            reason=str(refused.get("reason") or "FailedCreate"),
            cause=f"Deployment {name}: its pods may not be created: {message}",
            remedy=_creation_remedy(message),
            detail=message,
            time=refused.get("lastTransitionTime"),
        )
    progressing = _condition(status, "Progressing")
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Failure(
            reason="ProgressDeadlineExceeded",
            cause=f"Deployment {name}: no new pod became ready within its progress deadline",
            remedy="If the model needs longer to load, raise the operator's progress_deadline_seconds; "
            "otherwise read the pods' logs",
            detail=str(progressing.get("message", "")),
            time=progressing.get("lastTransitionTime"),
        )
    return None


def _creation_remedy(message: str) -> str:
    if "exceeded quota" in message:
        return "Lower the resource requests or replicas, or raise the namespace's ResourceQuota"
    if "PodSecurity" in message:
        return "Change the securityContext as the message says, or the namespace's Pod Security level"
    if "serviceaccount" in message.lower() and "not found" in message:
        return "Create the ServiceAccount, or correct serviceAccountName; the pods then start by themselves"
    if "LimitRange" in message or "maximum" in message:
        return "Bring the resources within the namespace's LimitRange"
    return "Correct what the message names; the pods then start by themselves"
