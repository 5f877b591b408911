"""Kubernetes events about InferenceServices, as `kubectl describe` shows them.

Posted behind the reconciler's back: an event tells people what happened, so neither a slow API server nor a
missing right may hold anything up for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from modelwright_operator.cluster import errors
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.resources import EVENT

logger = logging.getLogger(__name__)

CONTROLLER = "modelwright.dev/operator"
REPEAT_SECONDS = 600.0
"""The same event about the same object is posted at most once in this time."""
_REMEMBERED = 2000
_WAITING = 1000
_NOTE_LIMIT = 1024
"""The API server refuses a longer note."""


@dataclass(frozen=True, slots=True)
class _Pending:
    regarding: dict[str, str]
    type: str
    reason: str
    message: str


class EventRecorder:
    """Posts events in the background, each once.

    Args:
        client: with the right to create events.
        instance: this process, e.g. its pod's name.
        clock: monotonic seconds.
    """

    def __init__(self, client: Client, *, instance: str, clock: Callable[[], float]) -> None:
        self._client, self._instance, self._clock = client, instance, clock
        self._waiting: asyncio.Queue[_Pending] = asyncio.Queue(maxsize=_WAITING)
        self._posted: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def record(self, obj: Mapping[str, Any], *, kind: str, reason: str, message: str) -> None:
        """Queue an event about an object.

        Args:
            obj: the object.
            kind: ``Normal`` or ``Warning``.
            reason: one CamelCase word.
            message: a sentence for people.
        """
        metadata = obj["metadata"]
        seen = (metadata["uid"], reason, message)
        now = self._clock()
        if now - self._posted.get(seen, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return
        self._posted[seen] = now
        self._posted.move_to_end(seen)
        if len(self._posted) > _REMEMBERED:
            self._posted.popitem(last=False)
        regarding = {
            "apiVersion": obj["apiVersion"], "kind": obj["kind"], "namespace": metadata["namespace"],
            "name": metadata["name"], "uid": metadata["uid"],
        }  # fmt: skip
        try:
            self._waiting.put_nowait(_Pending(regarding, kind, reason, message))
        except asyncio.QueueFull:
            logger.warning("%s/%s: too many events wait, dropped %s", metadata["namespace"], metadata["name"], reason)

    async def run(self) -> None:
        """Post until cancelled."""
        while True:
            pending = await self._waiting.get()
            namespace = pending.regarding["namespace"]
            try:
                await self._client.create(EVENT, namespace, self._manifest(pending))
            except errors.NotFound:
                continue
            except (errors.ApiError, aiohttp.ClientError, OSError) as error:
                if errors.namespace_is_leaving(error):
                    continue
                logger.warning("event %s about %s: %s", pending.reason, pending.regarding["name"], error)

    def _manifest(self, pending: _Pending) -> dict[str, Any]:
        regarding = pending.regarding
        message = pending.message
        return {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": {"generateName": f"{regarding['name'][:40]}-", "namespace": regarding["namespace"]},
            "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
            "action": "Reconcile",
            "type": pending.type,
            "reason": pending.reason,
            "note": message if len(message) <= _NOTE_LIMIT else message[: _NOTE_LIMIT - 3] + "...",
            "regarding": regarding,
        }
