"""Secrets that are created and never read: who may create one in a namespace learns nothing of those that are there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from modelwright_operator.cluster import errors
from modelwright_operator.cluster.cache import Key
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.resources import SECRET

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 30.0
"""How soon to try again while the service is not ready: somebody may have deleted it."""


class Tokens:
    """Creates Secrets where there are none of their names.

    Args:
        client: with `create` on Secrets in the namespaces concerned.
        clock: monotonic seconds.
    """

    def __init__(self, client: Client, *, clock: Callable[[], float]) -> None:
        self._client, self._clock = client, clock
        self._made: dict[Key, tuple[str, float]] = {}

    async def ensure(self, key: Key, secret: Mapping[str, Any], *, settled: bool) -> None:
        """Create a Secret, once for each process while the service is ``settled``; one that exists is left as it is.

        Raises:
            errors.ApiError: it cannot be created.
        """
        name, now = str(secret["metadata"]["name"]), self._clock()
        made = self._made.get(key)
        if made and made[0] == name and (settled or now - made[1] < AGAIN_SECONDS):
            return
        try:
            await self._client.create(SECRET, key.namespace, secret)
        except errors.Conflict:
            pass
        else:
            logger.info("%s: created Secret %s", key, name)
        self._made[key] = (name, now)

    def forget(self, key: Key) -> None:
        """Forget a service that is gone."""
        self._made.pop(key, None)
