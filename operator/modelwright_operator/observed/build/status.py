"""The whole status of a ModelImage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelwright_operator import labels
from modelwright_operator.api.modelimage import ModelImage
from modelwright_operator.observed.build.outcome import JobState, container_status
from modelwright_operator.observed.build.phases import PHASES, last_lines, phases
from modelwright_operator.observed.conditions import READY, RECONCILING, STALLED, Condition, rendered
from modelwright_operator.observed.events import condition_of
from modelwright_operator.observed.scheduling import scheduling_failure
from modelwright_operator.observed.waiting import waiting_failure

FETCHED = "Fetched"
UNAVAILABLE = "SourceUnavailable"


@dataclass(frozen=True)
class BuildView:
    """What was seen of a ModelImage in one pass."""

    problem: str | None = None
    """Why nothing can be done, with the remedy."""
    error: str | None = None
    """Why something could not be written; it is tried again."""
    looking: tuple[JobState, Mapping[str, Any] | None] | None = None
    """How the newest Job that looks at the source is doing, and its pod."""
    build: tuple[Mapping[str, Any], JobState, Mapping[str, Any] | None] | None = None
    """The newest build's Job, how it is doing, and its pod."""
    lost: bool = False
    """Whether that build succeeded, and what it pushed is not known."""
    current: bool = False
    """Whether that build is of what source and builder are now."""
    latest_image: str = ""
    built_inputs: str = ""
    build_count: int = 0
    resolved: Mapping[str, str] | None = None
    """Source, builder and run image as they were last seen; None where nobody has looked yet."""


def build_status(image: ModelImage, view: BuildView, previous: Mapping[str, Any], now: str) -> dict[str, Any]:
    """Return the status. Equal views give equal statuses, whatever `now` is."""
    same = previous.get("observedGeneration") == image.metadata.generation
    steps = _steps(view, previous if same else {})
    ready = _ready(image.metadata.name, view, steps)
    conditions = [*steps, ready]
    if ready.status == "False":
        conditions.append(Condition(STALLED, "True", ready.reason, ready.message))
    elif ready.status == "Unknown":
        conditions.append(Condition(RECONCILING, "True", ready.reason, ready.message))
    result: dict[str, Any] = {
        "observedGeneration": image.metadata.generation,
        "conditions": rendered(conditions, previous, now),
        "buildCount": view.build_count,
    }
    if view.latest_image:
        result |= {"latestImage": view.latest_image, "builtInputs": view.built_inputs}
    if view.build:
        result["latestBuild"] = str(view.build[0]["metadata"]["name"])
    elif previous.get("latestBuild"):
        result["latestBuild"] = previous["latestBuild"]
    resolved = view.resolved or previous.get("resolved")
    return result | ({"resolved": dict(resolved)} if resolved else {})


def _steps(view: BuildView, previous: Mapping[str, Any]) -> list[Condition]:
    if view.build is None:
        if view.latest_image:
            # Its Job has been deleted; the image is what it came to.
            steps = [Condition(kind, "True", "Succeeded") for kind in PHASES.values()]
        else:
            steps = [Condition(kind, "Unknown", "Waiting", "nothing was built yet") for kind in PHASES.values()]
    else:
        job, state, pod = view.build
        steps = phases(job, pod, state)
    if failed := _looking_failed(view, previous):
        return [failed, *steps[1:]]
    return steps


def _looking_failed(view: BuildView, previous: Mapping[str, Any]) -> Condition | None:
    """Return Fetched for a source or builder that could not be looked at; it holds until the next look is over."""
    if view.looking is None:
        return None
    state, pod = view.looking
    status = container_status(pod, "resolve")
    if state == "failed":
        ended = (status.get("state") or {}).get("terminated") or {}
        said = last_lines(str(ended.get("message") or "")) or "the Job that looks at it failed"
        return Condition(FETCHED, "False", UNAVAILABLE, f"{said}\nIt is looked at again by itself.")
    before = condition_of(previous, FETCHED)
    if state == "running" and before.get("reason") == UNAVAILABLE:
        return Condition(FETCHED, "False", UNAVAILABLE, str(before.get("message") or ""))
    return _stuck(pod) if pod is not None and state == "running" else None


def _stuck(pod: Mapping[str, Any]) -> Condition | None:
    """Return Fetched for a look whose container does not start."""
    if failure := scheduling_failure(pod):
        return Condition(FETCHED, "False" if failure.blocking else "Unknown", failure.reason, failure.message)
    status = container_status(pod, "resolve")
    waiting = (status.get("state") or {}).get("waiting") or {}
    failure = waiting_failure(str(pod["metadata"]["name"]), "resolve", str(status.get("image", "")), waiting)
    return Condition(FETCHED, "False", failure.reason, failure.message) if failure else None


def _ready(name: str, view: BuildView, steps: Sequence[Condition]) -> Condition:
    keeps = f" {view.latest_image} stays the image." if view.latest_image else ""
    failed = next((step for step in steps if step.status == "False"), None)
    if view.problem:
        return Condition(READY, "False", "InvalidSpec", view.problem)
    if view.error:
        return Condition(READY, "False", "ReconcileFailed", f"{view.error.rstrip('.')}. It is tried again by itself.")
    if failed:
        return Condition(READY, "False", failed.reason, f"{failed.message.rstrip()}{keeps}")
    if view.build and (view.lost or view.build[1] == "running"):
        return _lost(name, view.build[0], keeps) if view.lost else _building(view.build[0], steps, keeps)
    if not view.current:
        return Condition(READY, "Unknown", "Resolving", f"source and builder are looked at.{keeps}")
    return Condition(READY, "True", "UpToDate", f"{view.latest_image} is built from what source and builder are now.")


def _building(job: Mapping[str, Any], steps: Sequence[Condition], keeps: str) -> Condition:
    at = next((step for step in steps if step.status != "True"), steps[-1])
    return Condition(READY, "Unknown", "Building", f"{job['metadata']['name']} is at {at.type}.{keeps}")


def _lost(name: str, job: Mapping[str, Any], keeps: str) -> Condition:
    text = f"{job['metadata']['name']} pushed an image, but its pod was gone before its digest was read."
    again = f"Build again: kubectl annotate --overwrite modelimage {name} {labels.REBUILD}=$(date +%s)."
    return Condition(READY, "False", "ReportLost", f"{text} {again}{keeps}")
