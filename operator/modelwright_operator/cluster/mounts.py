"""Events about volumes of pods whose containers are not being started.

Only events say that a volume cannot be mounted, and nobody is told of them: watching all events of a cluster to
learn of a few would cost more than everything else here. So they are asked for, pod by pod, and only while a
pod waits; a pod that starts in time is never asked about.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from modelwright_operator.cluster import errors
from modelwright_operator.cluster.cache import Key
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.resources import CORE_EVENT
from modelwright_operator.observed import MountEvent

logger = logging.getLogger(__name__)

REASONS = ("FailedMount", "FailedAttachVolume")
PATIENCE_SECONDS = 2.0
"""How long a pod may take before it is asked about: most mount everything in less."""
_OFTEN_SECONDS, _SELDOM_SECONDS = 3.0, 30.0
_PODS = 3
"""How many pods of one InferenceService are asked about at once: replicas wait for the same volumes."""
_SAME_ATTEMPT = timedelta(seconds=1)
"""The kubelet tries a pod's volumes side by side; what it says of them in one attempt lies no further apart."""


@dataclass(slots=True)
class _Waiting:
    """A pod that waits: since when, when to ask about it, and the last answer. By the monotonic clock."""

    since: float
    due: float
    event: MountEvent | None = None


class MountEvents:
    """Asks for events about pods that wait for their volumes.

    Args:
        client: with `list` on events.
        clock: monotonic seconds.
    """

    def __init__(self, client: Client, *, clock: Callable[[], float]) -> None:
        self._client, self._clock = client, clock
        self._waiting: dict[Key, dict[str, _Waiting]] = {}
        self._forbidden: set[str] = set()

    async def about(
        self, key: Key, pods: Sequence[Mapping[str, Any]], *, at_once: bool
    ) -> tuple[dict[str, MountEvent], float | None]:
        """Return what is known of the pods' volumes, by pod name, and the seconds after which to ask again, or None.

        Args:
            key: the InferenceService.
            pods: those of its pods that wait.
            at_once: do not give new ones time first.
        """
        now, known = self._clock(), self._waiting.pop(key, {})
        if not pods or key.namespace in self._forbidden:
            return {}, None
        patience = 0.0 if at_once else PATIENCE_SECONDS
        waiting: dict[str, _Waiting] = {}
        found: dict[str, MountEvent] = {}
        for metadata in sorted((pod["metadata"] for pod in pods), key=lambda metadata: metadata["name"])[:_PODS]:
            uid = metadata["uid"]
            waiting[uid] = one = known.get(uid) or _Waiting(now, now + patience)
            if now >= one.due:
                one.event = await self._ask(key.namespace, uid, one.event)
                one.due = now + min(_SELDOM_SECONDS, max(_OFTEN_SECONDS, (now - one.since) / 4))
            if one.event:
                found[metadata["name"]] = one.event
        if key.namespace in self._forbidden:
            return {}, None
        self._waiting[key] = waiting
        return found, min(one.due for one in waiting.values()) - now

    def forget(self, key: Key) -> None:
        """Forget a service that is gone."""
        self._waiting.pop(key, None)

    async def _ask(self, namespace: str, uid: str, before: MountEvent | None) -> MountEvent | None:
        found: list[Mapping[str, Any]] = []
        fields = f"involvedObject.uid={uid},type=Warning"
        try:
            async for page in self._client.list(CORE_EVENT, namespace, fields=fields):
                found += (event for event in page.items if event.get("reason") in REASONS)
        except errors.Forbidden as error:
            # Not asked again until the next start: an upgrade of the chart, which brings the right, is one.
            self._forbidden.add(namespace)
            logger.warning("%s; volumes that cannot be mounted are not diagnosed", error)
            return None
        except (errors.ApiError, aiohttp.ClientError, OSError) as error:
            logger.warning("%s", str(error) or type(error).__name__)
            return before
        return latest(found)


def latest(events: Sequence[Mapping[str, Any]]) -> MountEvent | None:
    """Return the newest of core/v1 events, of several from one attempt always the same one."""
    timed = [(_time(event), event) for event in events]
    if not timed:
        return None
    newest = max(time for time, _ in timed)
    last = min(
        (event for time, event in timed if newest - time <= _SAME_ATTEMPT),
        key=lambda event: (event["reason"] != REASONS[0], event.get("message", "")),
    )
    return MountEvent(last["reason"], str(last.get("message") or ""))


def _time(event: Mapping[str, Any]) -> datetime:
    series = event.get("series") or {}
    text = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return datetime.fromisoformat(text or event["metadata"]["creationTimestamp"])
