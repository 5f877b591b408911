"""What to do next for a ModelImage: look at its source, build, wait, tidy up. Pure; the time is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from modelwright_operator import labels
from modelwright_operator.api.modelimage import ModelImage
from modelwright_operator.desired.build import Facts, Target, build_job, facts_of, inputs_hash, resolve_job
from modelwright_operator.desired.build.job import BUILD, RESOLVE
from modelwright_operator.observed.build import JobState, image_digest, job_state, message_of, pod_of
from modelwright_operator.observed.build.outcome import container_status, finished_at

Manifest = dict[str, Any]

RETRY_SECONDS = 30.0
"""How soon to look again at a source that could not be looked at."""
HANDOVER_SECONDS = 1.0
"""How soon to look whether an outdated build has gone, whose cache the next one takes over."""


@dataclass(slots=True)
class BuildPlan:
    """The writes of one pass and what it saw; nothing to write in a steady state."""

    create: list[Manifest] = field(default_factory=list)
    delete: list[Manifest] = field(default_factory=list)
    again: float | None = None
    """Seconds after which to look again, whatever happens."""
    facts: Facts | None = None
    looking: Manifest | None = None
    build: Manifest | None = None
    latest_image: str = ""
    built_inputs: str = ""
    build_count: int = 0
    lost: bool = False
    """Whether the newest build succeeded, and nobody knows what it pushed."""
    awaited: bool = False
    """Whether the newest build succeeded, and its pod has yet to tell what it pushed."""
    current: bool = False
    """Whether the newest build is of what source and builder are now."""


def make_build_plan(target: Target, jobs: Sequence[Manifest], pods: Sequence[Manifest], now: datetime) -> BuildPlan:
    """Compare what source and builder are with what was built.

    Args:
        target: the ModelImage.
        jobs: its Jobs.
        pods: their pods.
        now: with a time zone.
    """
    status = target.image.status
    plan = BuildPlan(
        latest_image=status.get("latestImage", ""),
        built_inputs=status.get("builtInputs", ""),
        build_count=status.get("buildCount", 0),
    )
    _look(plan, target, [job for job in jobs if _label(job, labels.BUILD_STEP) == RESOLVE], pods, now)
    builds = sorted((job for job in jobs if _label(job, labels.BUILD_STEP) == BUILD), key=_number)
    staying = [job for job in builds if not _leaving(job)]
    if builds:
        plan.build_count = max(plan.build_count, _number(builds[-1]))
    if staying:
        plan.build = staying[-1]
        _take_result(plan, target.image, plan.build, pods)
    if plan.facts:
        _build(plan, target, plan.facts, staying, pods)
    _tidy(plan, target.image, staying)
    return plan


def _look(plan: BuildPlan, target: Target, jobs: Sequence[Manifest], pods: Sequence[Manifest], now: datetime) -> None:
    """Find out what source and builder are, by the newest Job that has told, and look again when it is time."""
    wanted = resolve_job(target, f"{int(now.timestamp()):x}")
    key = _label(wanted, labels.BUILD_ATTEMPT)
    matching = sorted((job for job in jobs if _label(job, labels.BUILD_ATTEMPT) == key and not _leaving(job)), key=_age)
    told: Manifest | None = None
    for job in matching:
        if job_state(job) == "succeeded" and (facts := facts_of(message_of(pod_of(job, pods), "resolve"))):
            plan.facts, told = facts, job
    newest = matching[-1] if matching else None
    plan.looking = newest
    plan.delete += [job for job in jobs if job is not newest and job is not told and not _leaving(job)]
    if newest is not None:
        state: JobState = job_state(newest)
        if state == "running":
            return
        good = newest is told
        if good and not target.moves:
            return
        ended = datetime.fromisoformat(finished_at(newest) or now.isoformat())
        pause = float(target.settings.build_poll_seconds)
        left = (pause if good else min(pause, RETRY_SECONDS)) - (now - ended).total_seconds()
        if left > 0:
            plan.again = left
            return
    plan.create.append(wanted)


def _take_result(plan: BuildPlan, image: ModelImage, build: Manifest, pods: Sequence[Manifest]) -> None:
    """Take over the digest of a build that succeeded."""
    inputs = _label(build, labels.BUILD_INPUTS)
    if job_state(build) != "succeeded" or inputs == plan.built_inputs:
        return
    pod = pod_of(build, pods)
    digest = image_digest(message_of(pod, "export"))
    if digest:
        plan.latest_image, plan.built_inputs = f"{repository(image.spec.tag)}@{digest}", inputs
    elif pod is not None and "terminated" not in (container_status(pod, "export").get("state") or {}):
        # The Job's watch was faster than the pod's, which is about to tell.
        plan.again = HANDOVER_SECONDS if plan.again is None else min(plan.again, HANDOVER_SECONDS)
        plan.awaited = True
    else:
        plan.lost = True


def _build(
    plan: BuildPlan, target: Target, facts: Facts, staying: Sequence[Manifest], pods: Sequence[Manifest]
) -> None:
    """Start a build of inputs that have none, after whatever builds other inputs."""
    inputs = inputs_hash(target, facts)
    wanted = build_job(target, facts, plan.build_count + 1)
    running = [job for job in staying if job_state(job) == "running"]
    outdated = [job for job in running if _label(job, labels.BUILD_INPUTS) != inputs]
    plan.delete += outdated
    newest = plan.build
    of_these = newest is not None and _label(newest, labels.BUILD_INPUTS) == inputs
    if plan.latest_image and plan.built_inputs == inputs:
        plan.current = True
        if newest is not None and not of_these:
            # What failed, or was stopped, was of something that is not wanted any more.
            plan.build = next((job for job in staying if _label(job, labels.BUILD_INPUTS) == inputs), None)
        return
    if newest is not None and of_these:
        same = _label(newest, labels.BUILD_ATTEMPT) == _label(wanted, labels.BUILD_ATTEMPT)
        if job_state(newest) == "running" or same:
            plan.current = True
            return
    if outdated or _orphans(staying, pods):
        plan.again = HANDOVER_SECONDS
        return
    plan.create.append(wanted)


def _orphans(builds: Sequence[Manifest], pods: Sequence[Manifest]) -> bool:
    """Say whether a pod of a build that was deleted has yet to end: it may still write to the cache."""
    owned = {job["metadata"]["uid"] for job in builds}
    return any(
        _label(pod, labels.BUILD_STEP) == BUILD
        and (pod.get("status") or {}).get("phase") in ("Pending", "Running")
        and not owned & {owner["uid"] for owner in pod["metadata"].get("ownerReferences") or []}
        for pod in pods
    )


def _tidy(plan: BuildPlan, image: ModelImage, builds: Sequence[Manifest]) -> None:
    """Delete finished builds beyond the limits, the oldest first, never the newest of all."""
    for state, limit in (
        ("succeeded", image.spec.success_build_history_limit),
        ("failed", image.spec.failed_build_history_limit),
    ):
        finished = [job for job in builds if job_state(job) == state]
        plan.delete += [job for job in finished[:-limit] if job is not plan.build]


def repository(tag: str) -> str:
    """Return an image reference without its tag."""
    head, colon, last = tag.rpartition(":")
    return head if colon and "/" not in last else tag


def _label(obj: Manifest, name: str) -> str:
    return str((obj["metadata"].get("labels") or {}).get(name, ""))


def _number(job: Manifest) -> int:
    text = _label(job, labels.BUILD_NUMBER)
    return int(text) if text.isdigit() else 0


def _age(job: Manifest) -> tuple[str, str]:
    return str(job["metadata"].get("creationTimestamp", "")), str(job["metadata"]["name"])


def _leaving(obj: Manifest) -> bool:
    return "deletionTimestamp" in obj["metadata"]
