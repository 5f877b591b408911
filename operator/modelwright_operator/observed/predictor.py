"""PredictorReady, and what it rests on."""

from dataclasses import dataclass

from modelwright_operator import labels
from modelwright_operator.addresses import predictor_name
from modelwright_operator.api import InferenceService
from modelwright_operator.observed.conditions import PREDICTOR_READY, Condition
from modelwright_operator.observed.diagnosis import Diagnosis, diagnose, is_ready
from modelwright_operator.observed.failure import Failure
from modelwright_operator.observed.observation import Observation
from modelwright_operator.observed.progress import pod_progress
from modelwright_operator.observed.rollout import Rollout, rollout_of


@dataclass(frozen=True)
class Predictor:
    """The predictor as it was seen."""

    condition: Condition
    rollout: Rollout
    diagnosis: Diagnosis
    failure: Failure | None
    """What keeps it from being ready; None while it is ready or merely on its way."""


def predictor_of(isvc: InferenceService, seen: Observation) -> Predictor:
    """Return the predictor's state. It is ready only when the rollout is done and enough pods answer.

    Enough is `minReplicas`: pods that the autoscaler adds on top may still be starting.
    """
    deployment = seen.children.get(("Deployment", predictor_name(isvc.metadata.name)))
    rollout = rollout_of(deployment)
    diagnosis = diagnose(seen.pods, deployment, seen.mount_events)
    needed = _needed(isvc)
    if seen.problems:
        failure = _invalid(seen)
    elif seen.reconcile_error:
        failure = _not_applied(seen.reconcile_error)
    elif rollout.done and rollout.available >= needed:
        failure = None
        return Predictor(Condition(PREDICTOR_READY, "True"), rollout, diagnosis, failure)
    else:
        failure = _failure(rollout, diagnosis)
    return Predictor(_condition(rollout, diagnosis, failure, needed), rollout, diagnosis, failure)


def _needed(isvc: InferenceService) -> int:
    """Return how many pods must answer; with a scaler of the author's own, which may go below `minReplicas`, one."""
    if isvc.metadata.annotations.get(labels.AUTOSCALER_CLASS) == "external":
        return 1
    return max(1, isvc.spec.predictor.min_replicas or 1)


def _failure(rollout: Rollout, diagnosis: Diagnosis) -> Failure | None:
    """Return the most telling failure: a pod's own, else what the Deployment reports."""
    if not rollout.seen:
        return None
    return next(iter(diagnosis.failures), rollout.failure)


def _condition(rollout: Rollout, diagnosis: Diagnosis, failure: Failure | None, needed: int) -> Condition:
    if failure is not None:
        return Condition(PREDICTOR_READY, "False", failure.reason, _with_context(failure, rollout, diagnosis))
    if rollout.done and rollout.available == rollout.wanted:
        text = f"{rollout.available} of {needed} pods are ready; the autoscaler has yet to ask for the others"
        return Condition(PREDICTOR_READY, "Unknown", "ScalingUp", text)
    if rollout.done:
        text = f"{rollout.available} of {rollout.wanted} pods are ready{_waiting(diagnosis)}"
        return Condition(PREDICTOR_READY, "False", "MinimumReplicasUnavailable", text)
    ready = sum(map(is_ready, diagnosis.pods)) if rollout.seen else 0
    text = f"{ready} of {rollout.wanted} new pods are ready{_waiting(diagnosis) if rollout.seen else ''}"
    return Condition(PREDICTOR_READY, "Unknown", "RolloutInProgress", text)


def _with_context(failure: Failure, rollout: Rollout, diagnosis: Diagnosis) -> str:
    """Return the failure's message with how many others fail, and that an earlier version serves on where it does."""
    text = failure.message
    if (others := len(diagnosis.failures) - 1) > 0 and failure in diagnosis.failures:
        text += f" {others} more pod{'s' if others > 1 else ''} of this version fail{'' if others > 1 else 's'} too."
    if rollout.available and not rollout.updated_available:
        text += " The version before it still serves."
    return text


def _waiting(diagnosis: Diagnosis) -> str:
    pod = next((pod for pod in diagnosis.pods if not is_ready(pod)), None)
    return f"; pod {pod['metadata']['name']}: {pod_progress(pod)}" if pod else ""


def _invalid(seen: Observation) -> Failure:
    first, *more = seen.problems
    cause = f"{first.field}: {first.message}"
    remedy = "Nothing was changed in the cluster" if first.blocking else "The rest follows by itself"
    return Failure(
        reason=first.reason,
        cause=cause.rstrip("."),
        remedy=f"{len(more)} more problem(s) to correct" if more else remedy,
        kind="InvalidPredictorSpec" if first.reason == "InvalidSpec" else "RuntimeUnhealthy",
        blocking=first.blocking,
        detail="\n".join(f"{problem.field}: {problem.message}" for problem in seen.problems),
    )


def _not_applied(error: str) -> Failure:
    return Failure(
        reason="ReconcileFailed",
        cause=error.rstrip("."),
        remedy="It is tried again by itself",
        detail=error,
    )
