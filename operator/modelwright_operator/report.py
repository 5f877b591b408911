"""The last part of a pass: what was seen becomes the status, and a transition an event."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelwright_operator.addresses import predictor_name
from modelwright_operator.api import InferenceService
from modelwright_operator.cluster import errors
from modelwright_operator.cluster.cache import Cache, Key, ObjectId
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.drift import differences
from modelwright_operator.cluster.events import EventRecorder
from modelwright_operator.cluster.mounts import REASONS, MountEvents
from modelwright_operator.cluster.resources import INFERENCE_SERVICE
from modelwright_operator.desired import Problem
from modelwright_operator.observed import MountEvent, Observation, pods_awaiting_volumes, status, transitions
from modelwright_operator.plan import Manifest
from modelwright_operator.settings import Settings

logger = logging.getLogger(__name__)


class GoneError(Exception):
    """The InferenceService is gone or going; there is nothing to do for this pass."""


class Reporter:
    """Writes statuses that changed.

    Args:
        client: the API server.
        cache: takes the answers.
        settings: the operator's settings.
        recorder: takes events.
        mounts: tells what the kubelet says of volumes.
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
        now: Callable[[], str],
    ) -> None:
        self._client, self._cache, self._settings = client, cache, settings
        self._recorder, self._mounts, self._now = recorder, mounts, now

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
        pods = [obj for oid, obj in live.items() if oid.kind == "Pod"]
        events, again = await self._mount_events(key, pods, live, previous)
        observation = Observation(
            children={oid: obj for oid, obj in live.items() if oid.kind != "Pod"},
            pods=pods,
            mount_events=events,
            problems=found,
            previous=previous,
            reconcile_error=error,
        )
        await self._write(key, raw, status(isvc, observation, self._settings, self._now()))
        return again

    async def _mount_events(
        self, key: Key, pods: Sequence[Manifest], live: Mapping[ObjectId, Manifest], previous: Mapping[str, Any]
    ) -> tuple[dict[str, MountEvent], float | None]:
        waiting = pods_awaiting_volumes(pods, live.get(ObjectId("Deployment", predictor_name(key.name))))
        # A status that says so already does not waver while new pods, or a new process, give it time.
        told = any(condition.get("reason") in REASONS for condition in previous.get("conditions") or [])
        return await self._mounts.about(key, waiting, at_once=told)

    async def _write(self, key: Key, raw: Manifest, new: Mapping[str, Any]) -> None:
        previous = raw.get("status") or {}
        patch = merge_patch(previous, new)
        if not patch:
            return
        body = {"metadata": {"uid": raw["metadata"]["uid"]}, "status": patch}
        try:
            written = await self._client.patch_status(INFERENCE_SERVICE, key.namespace, key.name, body)
        except (errors.NotFound, errors.Conflict):
            self._cache.drop_service(key, int(raw["metadata"].get("resourceVersion", 0)) or None)
            raise GoneError from None
        self._cache.put_written(written, raw)
        if left := differences(new, written.get("status") or {}):
            logger.warning("%s: the installed CRD drops status fields (%s); install the one of this version", key, left)
        for event in transitions(previous, new):
            self._recorder.record(raw, kind=event.type, reason=event.reason, message=event.message)


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON merge patch (RFC 7386) that turns ``old`` into ``new``; empty when they are equal."""
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            if below := merge_patch(before, value):
                patch[name] = below
        elif name not in old or value != before:
            patch[name] = value
    return patch
