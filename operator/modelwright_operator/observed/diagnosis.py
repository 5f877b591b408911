"""Why pods do not serve: from their status to typed failures, the newest rollout's first."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelwright_operator import labels
from modelwright_operator.observed.failure import Failure
from modelwright_operator.observed.mounting import mount_failure, waits_for_volumes
from modelwright_operator.observed.observation import MountEvent
from modelwright_operator.observed.scheduling import scheduling_failure
from modelwright_operator.observed.terminated import terminated_failure
from modelwright_operator.observed.waiting import waiting_failure

_REPLICA_SET = re.compile(r'ReplicaSet "([^"]+)"')

Pod = Mapping[str, Any]


@dataclass(frozen=True)
class Diagnosis:
    """What the pods of the newest rollout say."""

    pods: tuple[Pod, ...]
    """The pods of the newest rollout that are not being deleted."""
    failures: tuple[Failure, ...]
    """At most one for each pod, the ones that wait for somebody first."""
    others: int
    """How many pods of earlier rollouts there still are."""


def diagnose(
    pods: Sequence[Pod], deployment: Mapping[str, Any] | None, mount_events: Mapping[str, MountEvent]
) -> Diagnosis:
    """Return what keeps the newest rollout's pods from serving.

    Earlier rollouts' pods are not asked: what was wrong with them is being replaced.
    """
    alive = [pod for pod in pods if not _metadata(pod).get("deletionTimestamp")]
    mine = _of_newest_rollout(alive, deployment)
    # An evicted pod stays as a record; it matters only while nothing has replaced it.
    running = [pod for pod in mine if _status(pod).get("phase") not in ("Failed", "Succeeded")]
    found = [failure for pod in running or mine if (failure := pod_failure(pod, mount_events))]
    found.sort(key=lambda failure: (not failure.blocking, failure.pod))
    return Diagnosis(tuple(mine), tuple(found), len(alive) - len(mine))


def pods_awaiting_volumes(pods: Sequence[Pod], deployment: Mapping[str, Any] | None) -> list[Pod]:
    """Return the newest rollout's pods that may wait for a volume: only events tell what is wrong with it."""
    alive = [pod for pod in pods if not _metadata(pod).get("deletionTimestamp")]
    return [pod for pod in _of_newest_rollout(alive, deployment) if waits_for_volumes(pod)]


def _of_newest_rollout(alive: Sequence[Pod], deployment: Mapping[str, Any] | None) -> list[Pod]:
    newest = newest_rollout(alive, deployment)
    return [_completed(pod, deployment) for pod in alive if _hash(pod) == newest]


def _completed(pod: Pod, deployment: Mapping[str, Any] | None) -> Pod:
    """Return the pod with its containers as the Deployment has them: the cache keeps little of a pod's spec."""
    template = (((deployment or {}).get("spec") or {}).get("template") or {}).get("spec") or {}
    spec = dict(pod.get("spec") or {})
    for field in ("initContainers", "containers"):
        wanted = {container["name"]: container for container in template.get(field) or []}
        spec[field] = [{**wanted.get(own.get("name"), {}), **own} for own in spec.get(field) or []]
    return {**pod, "spec": {"volumes": template.get("volumes") or [], **spec}}


def newest_rollout(pods: Sequence[Pod], deployment: Mapping[str, Any] | None) -> str:
    """Return the pod-template-hash of the newest rollout, empty where nothing tells it.

    The Deployment's Progressing condition names the ReplicaSet; without it, the youngest pod decides.
    """
    status = (deployment or {}).get("status") or {}
    for condition in status.get("conditions") or []:
        if condition.get("type") == "Progressing" and (found := _REPLICA_SET.search(str(condition.get("message", "")))):
            return found[1].rpartition("-")[2]
    youngest = max(pods, key=lambda pod: str(_metadata(pod).get("creationTimestamp", "")), default=None)
    return _hash(youngest) if youngest else ""


def pod_failure(pod: Pod, mount_events: Mapping[str, MountEvent]) -> Failure | None:
    """Return what keeps one pod from serving, None for a pod that serves or is on its way."""
    status = _status(pod)
    if is_ready(pod):
        return None
    if status.get("phase") == "Failed" and status.get("reason"):
        return _evicted(pod)
    if failure := scheduling_failure(pod):
        return failure
    if failure := next(_container_failures(pod), None):
        return failure
    event = mount_events.get(str(_metadata(pod).get("name", "")))
    return mount_failure(pod, event) if event and waits_for_volumes(pod) else None


def is_ready(pod: Pod) -> bool:
    """Return whether the pod answers requests."""
    conditions = _status(pod).get("conditions") or []
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _container_failures(pod: Pod) -> Iterator[Failure]:
    """Yield the containers' failures in the order in which they run, the model's container before its sidecars."""
    spec, status = pod.get("spec") or {}, _status(pod)
    for kind, init in (("initContainer", True), ("container", False)):
        specs = {c.get("name"): c for c in spec.get(f"{kind}s") or []}
        states = sorted(
            status.get(f"{kind}Statuses") or [],
            key=lambda state: state.get("name") not in (labels.MAIN_CONTAINER, labels.WORKER_CONTAINER),
        )
        for state in states:
            container = specs.get(state.get("name")) or {"name": state.get("name")}
            if failure := _container_failure(str(_metadata(pod).get("name", "")), container, state, init=init):
                yield failure


def _container_failure(pod: str, spec: Mapping[str, Any], status: Mapping[str, Any], *, init: bool) -> Failure | None:
    state = status.get("state") or {}
    before = (status.get("lastState") or {}).get("terminated")
    image = str(spec.get("image") or status.get("image", ""))
    if waiting := state.get("waiting"):
        if failure := waiting_failure(pod, str(spec.get("name", "")), image, waiting):
            return failure
        # CrashLoopBackOff, or the moment between two attempts.
        return terminated_failure(pod, spec, before, init=init) if before else None
    if ended := state.get("terminated"):
        if init and ended.get("exitCode") == 0:
            return None
        return terminated_failure(pod, spec, ended, init=init)
    if before and not status.get("ready") and not (init and before.get("exitCode") == 0):
        # Running again, but not ready: until it is, what ended it last time is all that is known.
        return terminated_failure(pod, spec, before, init=init)
    return None


def _evicted(pod: Pod) -> Failure:
    status = _status(pod)
    return Failure(
        reason=str(status["reason"]),
        cause=str(status.get("message") or "the node ended the pod").rstrip("."),
        remedy="Give the containers requests that match what they use, or look at the node",
        pod=str(_metadata(pod).get("name", "")),
        detail=str(status.get("message", "")),
        blocking=False,
    )


def _metadata(pod: Pod) -> Mapping[str, Any]:
    return pod.get("metadata") or {}


def _status(pod: Pod) -> Mapping[str, Any]:
    return pod.get("status") or {}


def _hash(pod: Pod) -> str:
    return str((_metadata(pod).get("labels") or {}).get(labels.POD_TEMPLATE_HASH, ""))
