"""status.modelStatus, by which KServe's clients and Argo CD tell a model that is loading from one that has failed."""

from collections.abc import Mapping
from typing import Any

from modelwright_operator.observed.conditions import Condition
from modelwright_operator.observed.predictor import Predictor
from modelwright_operator.observed.progress import model_is_loading


def model_status(predictor: Predictor, previous: Mapping[str, Any], now: str) -> dict[str, Any]:
    """Return the model's status. `previous` is the stored status; a failure that lasts keeps its time."""
    failure = predictor.failure
    result: dict[str, Any] = {
        "transitionStatus": transition_status(predictor.condition, predictor),
        "states": {"activeModelState": _active(predictor), "targetModelState": _target(predictor)},
        "copies": {
            "failedCopies": len(predictor.diagnosis.failures),
            "totalCopies": predictor.rollout.available,
        },
    }
    if failure is not None:
        info = failure.info(now)
        before = (previous.get("modelStatus") or {}).get("lastFailureInfo") or {}
        if failure.time is None and _same(before, info):
            info["time"] = before["time"]
        result["lastFailureInfo"] = info
    return result


def transition_status(condition: Condition, predictor: Predictor) -> str:
    """Return whether the running pods are what the spec asks for, are becoming so, or cannot.

    Argo CD calls an InferenceService degraded by this field alone.
    """
    if condition.status == "True":
        return "UpToDate"
    failure = predictor.failure
    if failure is None or not failure.blocking:
        return "InProgress"
    return "InvalidSpec" if failure.reason == "InvalidSpec" else "BlockedByFailedLoad"


def _active(predictor: Predictor) -> str:
    """Return the state of the copies that serve now, of whichever version."""
    return "Loaded" if predictor.rollout.available else _target(predictor)


def _target(predictor: Predictor) -> str:
    """Return the state of the version that the spec asks for."""
    if predictor.condition.status == "True":
        return "Loaded"
    if predictor.failure is not None and predictor.failure.blocking:
        return "FailedToLoad"
    return "Loading" if any(map(model_is_loading, predictor.diagnosis.pods)) else "Pending"


def _same(before: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
    return bool(before.get("time")) and {**before, "time": ""} == {**info, "time": ""}
