"""The last part of a pass: what was seen becomes the status, and a transition an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelwright_operator import labels
from modelwright_operator.addresses import predictor_name, worker_name
from modelwright_operator.api import InferenceService
from modelwright_operator.cluster.cache import Cache, Key, ObjectId
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.events import EventRecorder
from modelwright_operator.cluster.images import Images
from modelwright_operator.cluster.mounts import REASONS, MountEvents
from modelwright_operator.cluster.resources import INFERENCE_SERVICE
from modelwright_operator.desired import Problem
from modelwright_operator.desired.images import outdated
from modelwright_operator.observed import MountEvent, Observation, pods_awaiting_volumes, status, transitions
from modelwright_operator.plan import Manifest
from modelwright_operator.settings import Settings
from modelwright_operator.status_writer import StatusWriter


class Reporter:
    """Writes statuses that changed.

    Args:
        client: the API server.
        cache: takes the answers.
        settings: the operator's settings.
        recorder: takes events.
        mounts: tells what the kubelet says of volumes.
        images: what images by name stand for.
        now: the time as Kubernetes writes it, e.g. ``2026-11-21T02:00:00Z``.
    """

    def __init__(
        self,
        client: Client,
        cache: Cache,
        settings: Settings,
        *,
        recorder: EventRecorder,
        mounts: MountEvents,
        images: Images,
        now: Callable[[], str],
    ) -> None:
        self._settings = settings
        self._mounts, self._images, self._now = mounts, images, now
        self._writer = StatusWriter(client, cache, INFERENCE_SERVICE, recorder=recorder, transitions=transitions)

    def forget(self, key: Key) -> None:
        """Forget a service that is gone."""
        self._mounts.forget(key)

    async def __call__(
        self,
        key: Key,
        raw: Manifest,
        isvc: InferenceService,
        found: Sequence[Problem],
        live: Mapping[ObjectId, Manifest],
        error: str | None,
    ) -> float | None:
        """Report on an InferenceService; return the seconds after which to look at it again, or None.

        Args:
            key: which.
            raw: as the cache has it.
            isvc: the same, read.
            found: what made the pass apply nothing.
            live: its children and pods.
            error: what could not be applied, and why.

        Raises:
            GoneError: it does not exist any more.
        """
        previous = raw.get("status") or {}
        pods, workers = _told_apart([obj for oid, obj in live.items() if oid.kind == "Pod"])
        events, again = await self._mount_events(key, pods, workers, live, previous)
        observation = Observation(
            children={oid: obj for oid, obj in live.items() if oid.kind != "Pod"},
            pods=pods,
            workers=workers,
            mount_events=events,
            problems=found,
            previous=previous,
            outdated_images=outdated(isvc.predictor, self._images.of(isvc)),
            reconcile_error=error,
        )
        await self._writer(key, raw, status(isvc, observation, self._settings, self._now()))
        return again

    async def _mount_events(
        self,
        key: Key,
        pods: Sequence[Manifest],
        workers: Sequence[Manifest],
        live: Mapping[ObjectId, Manifest],
        previous: Mapping[str, Any],
    ) -> tuple[dict[str, MountEvent], float | None]:
        waiting = pods_awaiting_volumes(pods, live.get(ObjectId("Deployment", predictor_name(key.name))))
        waiting += pods_awaiting_volumes(workers, live.get(ObjectId("Deployment", worker_name(key.name))))
        # A status that says so already does not waver while new pods, or a new process, give it time.
        told = any(condition.get("reason") in REASONS for condition in previous.get("conditions") or [])
        return await self._mounts.about(key, waiting, at_once=told)


def _told_apart(pods: Sequence[Manifest]) -> tuple[list[Manifest], list[Manifest]]:
    """Return the predictor's pods and the workers'."""
    found: tuple[list[Manifest], list[Manifest]] = ([], [])
    for pod in pods:
        component = (pod["metadata"].get("labels") or {}).get(labels.COMPONENT)
        found[component == labels.WORKER].append(pod)
    return found
