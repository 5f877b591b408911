"""The whole status of an InferenceService."""

from collections.abc import Sequence
from typing import Any

from modelwright_operator import labels
from modelwright_operator.addresses import cluster_url, external_url, predictor_name, route_kind
from modelwright_operator.api import InferenceService
from modelwright_operator.observed.conditions import (
    IMAGE_OUTDATED,
    INGRESS_READY,
    PREDICTOR_READY,
    READY,
    RECONCILING,
    STALLED,
    STOPPED,
    Condition,
    all_of,
    rendered,
)
from modelwright_operator.observed.failure import Failure
from modelwright_operator.observed.ingress import ingress_condition
from modelwright_operator.observed.model_status import model_status
from modelwright_operator.observed.observation import Observation
from modelwright_operator.observed.predictor import predictor_of
from modelwright_operator.observed.workers import workers_of
from modelwright_operator.settings import Settings


def status(isvc: InferenceService, seen: Observation, settings: Settings, now: str) -> dict[str, Any]:
    """Return the status for what was seen. `now` is RFC 3339 in UTC, such as 2026-01-31T12:00:00Z.

    Equal observations give equal statuses, whatever `now` is, so that a status is written only when it
    changes.
    """
    predictor = predictor_of(isvc, seen)
    if isvc.metadata.annotations.get(labels.STOP, "").lower() == "true" and not seen.problems:
        return _stopped(isvc, seen, now)
    ingress = ingress_condition(isvc, seen, settings)
    workers = workers_of(isvc, seen)
    # The workers first: the predictor waits for them.
    parts = [*([workers.condition] if workers else []), predictor.condition, ingress]
    ready = all_of(READY, parts)
    conditions = [*parts, ready, Condition(STOPPED, "False")]
    conditions += _progress([predictor.failure, workers.failure if workers else None], ready)
    if seen.outdated_images:
        conditions.append(Condition(IMAGE_OUTDATED, "True", "NewestBuildFailed", "; ".join(seen.outdated_images)))
    return {
        "observedGeneration": isvc.metadata.generation,
        "conditions": rendered(conditions, seen.previous, now),
        **_addresses(isvc, settings),
        "modelStatus": model_status(predictor, seen.previous, now),
        "deploymentMode": "Standard",
    }


def _progress(failures: Sequence[Failure | None], ready: Condition) -> list[Condition]:
    """Return Stalled, Reconciling or neither: they exist only while True, which kstatus and Argo CD both ask for."""
    if ready.status == "True":
        return []
    kind = STALLED if any(failure is not None and failure.blocking for failure in failures) else RECONCILING
    return [Condition(kind, "True", ready.reason, ready.message)]


def _addresses(isvc: InferenceService, settings: Settings) -> dict[str, Any]:
    name, namespace = isvc.metadata.name, isvc.metadata.namespace
    inside = cluster_url(name, namespace)
    if route_kind(isvc.metadata.labels, settings) == "none":
        outside, component = inside, inside
    else:
        outside = external_url(name, namespace, settings)
        component = external_url(predictor_name(name), namespace, settings)
    return {
        "url": outside,
        "address": {"url": inside},
        "components": {labels.PREDICTOR: {"url": component}},
    }


def _stopped(isvc: InferenceService, seen: Observation, now: str) -> dict[str, Any]:
    """Return the status of a service that its author stopped: nothing runs, and nothing is wrong."""
    gone = not (seen.children or seen.pods or seen.workers)
    reason, text = ("Stopped", "") if gone else ("Stopping", "pods are being ended")
    conditions = [Condition(kind, "False", reason, text) for kind in (PREDICTOR_READY, INGRESS_READY, READY)]
    conditions.append(Condition(STOPPED, "True" if gone else "False", reason, text))
    if not gone:
        conditions.append(Condition(RECONCILING, "True", reason, text))
    return {
        "observedGeneration": isvc.metadata.generation,
        "conditions": rendered(conditions, seen.previous, now),
        "modelStatus": {"transitionStatus": "UpToDate" if gone else "InProgress"},
        "deploymentMode": "Standard",
    }
