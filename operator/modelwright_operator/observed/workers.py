"""WorkersReady: whether the other pods of a model that spans several are there, and which one is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelwright_operator.addresses import worker_name
from modelwright_operator.api import InferenceService, WorkerSpec
from modelwright_operator.observed.conditions import WORKERS_READY, Condition
from modelwright_operator.observed.diagnosis import Diagnosis, diagnose, is_ready
from modelwright_operator.observed.failure import Failure
from modelwright_operator.observed.observation import Observation
from modelwright_operator.observed.progress import pod_progress
from modelwright_operator.observed.rollout import Rollout, rollout_of


@dataclass(frozen=True)
class Workers:
    """The workers as they were seen."""

    condition: Condition
    failure: Failure | None
    """What keeps one from joining; None while all have joined or are merely on their way."""


def workers_of(isvc: InferenceService, seen: Observation) -> Workers | None:
    """Return the workers' state; None for a model without any, or while PredictorReady says why there can be none."""
    spec = isvc.spec.predictor.worker_spec
    if spec is None or seen.problems or seen.reconcile_error:
        return None
    deployment = seen.children.get(("Deployment", worker_name(isvc.metadata.name)))
    rollout = rollout_of(deployment)
    diagnosis = diagnose(seen.workers, deployment, seen.mount_events)
    if rollout.done and rollout.available >= spec.count:
        return Workers(Condition(WORKERS_READY, "True"), None)
    failure = next(iter(diagnosis.failures), rollout.failure) if rollout.seen else None
    return Workers(_condition(spec, rollout, diagnosis, failure), failure)


def _condition(spec: WorkerSpec, rollout: Rollout, diagnosis: Diagnosis, failure: Failure | None) -> Condition:
    joined = _joined(spec, rollout, diagnosis.pods)
    if failure is not None:
        return Condition(WORKERS_READY, "False", failure.reason, f"{joined}; {failure.message}")
    waiting = next((pod for pod in diagnosis.pods if not is_ready(pod)), None)
    text = f"{joined}; pod {waiting['metadata']['name']}: {pod_progress(waiting)}" if waiting else joined
    if rollout.done:
        return Condition(WORKERS_READY, "False", "WorkersMissing", text)
    return Condition(WORKERS_READY, "Unknown", "RolloutInProgress", text)


def _joined(spec: WorkerSpec, rollout: Rollout, pods: Sequence[Mapping[str, Any]]) -> str:
    ready = sum(map(is_ready, pods)) if rollout.seen else 0
    return f"{ready} of {spec.count} workers have joined Ray"
