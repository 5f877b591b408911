"""Lists a kind, then watches it, for as long as the operator lives.

kopf could watch children too (it has server-side selectors since 1.44), but a deletion that falls into a gap
between two of its watches is never told (`kopf._cogs.clients.watching` yields survivors only), it does not
say when a first list is complete, and it keeps a task and a memory per object.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import aiohttp

from modelwright_operator.cluster import errors
from modelwright_operator.cluster.cache import Cache, Key, ObjectId
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.resources import SERVICE_ACCOUNT, Resource

logger = logging.getLogger(__name__)

WATCH_SECONDS = (240, 300)
"""How long the server keeps one watch, drawn anew each time so that watches do not end together."""
SILENCE_SECONDS = 90.0
"""A watch without a byte for so long is dead: the server sends a bookmark each minute."""
ABSENT_SECONDS = 300.0
"""How often to look whether an optional kind (Gateway API) has come."""
_RETRY_SECONDS = (0.2, 5.0)
_BETWEEN_WATCHES = 0.1


class Sink(Protocol):
    """Where a reflector puts what it sees. Methods return the keys that should be looked at again."""

    def put(self, obj: Mapping[str, Any]) -> Iterable[Key]:
        """Take a new or changed object."""

    def drop(self, namespace: str, name: str, version: int) -> Iterable[Key]:
        """Take note that an object was gone at this version."""

    def known(self, namespace: str | None) -> list[tuple[str, str]]:
        """Return namespace and name of every object held."""


class ChildSink:
    """Files children and pods."""

    def __init__(self, cache: Cache, kind: str) -> None:
        self._cache, self._kind = cache, kind

    def put(self, obj: Mapping[str, Any]) -> Iterable[Key]:
        """File the object under its InferenceService."""
        return self._cache.put(obj)

    def drop(self, namespace: str, name: str, version: int) -> Iterable[Key]:
        """Unfile the object."""
        return self._cache.drop(namespace, ObjectId(self._kind, name), version)

    def known(self, namespace: str | None) -> list[tuple[str, str]]:
        """Return the filed objects of the kind."""
        return [(where, oid.name) for where, oid, _ in self._cache.known(self._kind, namespace)]


class AccountSink:
    """Files ServiceAccounts; one that changes concerns its namespace's InferenceServices, and whom ``tell`` knows."""

    def __init__(self, cache: Cache, tell: Callable[[str], None]) -> None:
        self._cache, self._tell = cache, tell

    def put(self, obj: Mapping[str, Any]) -> Iterable[Key]:
        """File the ServiceAccount."""
        return self._concerned(obj["metadata"]["namespace"]) if self._cache.put_account(obj) else ()

    def drop(self, namespace: str, name: str, version: int) -> Iterable[Key]:
        """Unfile the ServiceAccount."""
        return self._concerned(namespace) if self._cache.drop_account(Key(namespace, name)) else ()

    def _concerned(self, namespace: str) -> Iterable[Key]:
        self._tell(namespace)
        return self._cache.services(namespace)

    def known(self, namespace: str | None) -> list[tuple[str, str]]:
        """Return the filed ServiceAccounts."""
        return [(key.namespace, key.name) for key in self._cache.accounts(namespace)]


class Reflector:
    """One kind in one namespace (or in all).

    Args:
        client: with `list` and `watch` rights.
        resource: the kind.
        namespace: None for all.
        sink: where objects go.
        notify: called with each key to look at again.
        selector: label selector, evaluated by the server.
        optional: whether the kind may be absent, or the right to read it, without that being an error.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        namespace: str | None,
        *,
        sink: Sink,
        notify: Callable[[Key], None],
        selector: str | None = None,
        optional: bool = False,
    ) -> None:
        self._client, self._resource, self._namespace = client, resource, namespace
        self._sink, self._notify, self._selector, self._optional = sink, notify, selector, optional
        self._failures = 0
        self.synced = asyncio.Event()
        """Set when the first list is in (or an optional kind is known to be absent)."""

    @property
    def what(self) -> str:
        """The kind and where, for logs."""
        return f"{self._resource.label} in {self._namespace or 'all namespaces'}"

    async def run(self) -> None:
        """Keep the sink up to date until cancelled."""
        while True:
            try:
                since = await self._list()
                self._failures = 0
                self.synced.set()
                while True:
                    since = await self._watch(since)
                    await asyncio.sleep(_BETWEEN_WATCHES)
            except errors.Gone:
                logger.info("%s: the watch fell behind, listing again", self.what)
            except (errors.NotFound, errors.Forbidden) as error:
                await self._refused(error)
            except (errors.ApiError, aiohttp.ClientError, OSError) as error:
                await self._pause(error)

    async def _list(self) -> str:
        seen: set[tuple[str, str]] = set()
        version = "0"
        async for page in self._client.list(self._resource, self._namespace, selector=self._selector):
            version = page.resource_version
            for obj in page.items:
                seen.add((obj["metadata"]["namespace"], obj["metadata"]["name"]))
                self._tell(self._sink.put(obj))
        for namespace, name in self._sink.known(self._namespace):
            if (namespace, name) not in seen:
                self._tell(self._sink.drop(namespace, name, int(version)))
        return version

    async def _watch(self, since: str) -> str:
        """Follow the changes until the watch ends or falls silent; return where to go on."""
        lasts = random.randint(*WATCH_SECONDS)  # noqa: S311 - spreads load, guards nothing
        with contextlib.suppress(TimeoutError):
            async for event in self._client.watch(
                self._resource, self._namespace,
                since=since, selector=self._selector, lasts=lasts, silence=SILENCE_SECONDS,
            ):  # fmt: skip
                self._failures = 0
                metadata = event["object"]["metadata"]
                since = metadata["resourceVersion"]
                if event["type"] in ("ADDED", "MODIFIED"):
                    self._tell(self._sink.put(event["object"]))
                elif event["type"] == "DELETED":
                    self._tell(self._sink.drop(metadata["namespace"], metadata["name"], int(since)))
        return since

    def _tell(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._notify(key)

    async def _refused(self, error: errors.ApiError) -> None:
        if not self._optional:
            await self._pause(error)
            return
        if not self.synced.is_set():
            logger.info("%s: not served here (%s); going on without", self.what, error)
            self.synced.set()
        await asyncio.sleep(ABSENT_SECONDS)

    async def _pause(self, error: Exception) -> None:
        self._failures += 1
        first, most = _RETRY_SECONDS
        seconds = min(most, first * 2.0 ** min(self._failures, 16)) * random.uniform(0.7, 1.0)  # noqa: S311
        level = logging.WARNING if self._failures == 1 else logging.DEBUG
        logger.log(level, "%s: %s; trying again in %.1f s", self.what, str(error) or type(error).__name__, seconds)
        await asyncio.sleep(seconds)


def for_accounts(
    client: Client, namespace: str | None, cache: Cache, notify: Callable[[Key], None], tell: Callable[[str], None]
) -> Reflector:
    """Return the reflector of ServiceAccounts, which carry no label of ours; ``tell`` gets each one's namespace."""
    return Reflector(client, SERVICE_ACCOUNT, namespace, sink=AccountSink(cache, tell), notify=notify)
