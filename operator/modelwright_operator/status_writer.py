"""Writes an object's status where it changed, and an event for each transition."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelwright_operator.cluster import errors
from modelwright_operator.cluster.cache import Cache, Key
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.drift import differences
from modelwright_operator.cluster.events import EventRecorder
from modelwright_operator.cluster.resources import Resource
from modelwright_operator.observed import Event

logger = logging.getLogger(__name__)

Transitions = Callable[[Mapping[str, Any], Mapping[str, Any]], Sequence[Event]]


class GoneError(Exception):
    """The object is gone or going; there is nothing to do for this pass."""


class StatusWriter:
    """Writes the statuses of one kind.

    Args:
        client: the API server.
        cache: takes the answers.
        resource: the kind.
        recorder: takes events.
        transitions: says which events the step from one status to the next is worth.
    """

    def __init__(
        self, client: Client, cache: Cache, resource: Resource, *, recorder: EventRecorder, transitions: Transitions
    ) -> None:
        self._client, self._cache, self._resource = client, cache, resource
        self._recorder, self._transitions = recorder, transitions

    async def __call__(self, key: Key, raw: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Write the status of an object that the cache has as ``raw``.

        Raises:
            GoneError: it does not exist any more.
        """
        previous = raw.get("status") or {}
        patch = merge_patch(previous, new)
        if not patch:
            return
        body = {"metadata": {"uid": raw["metadata"]["uid"]}, "status": patch}
        try:
            written = await self._client.patch_status(self._resource, key.namespace, key.name, body)
        except (errors.NotFound, errors.Conflict):
            self._cache.drop_service(key, int(raw["metadata"].get("resourceVersion", 0)) or None)
            raise GoneError from None
        self._cache.put_written(written, raw)
        if left := differences(new, written.get("status") or {}):
            logger.warning("%s: the installed CRD drops status fields (%s); install the one of this version", key, left)
        for event in self._transitions(previous, new):
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
