"""kopf's part: an event about an InferenceService becomes a key in the queue, and nothing else happens here.

kopf neither retries event handlers nor writes anything for them: no finalizer, no annotation in the user's
object.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import kopf

from modelwright_operator.cluster.cache import Cache, Key
from modelwright_operator.cluster.client import PAGE_SIZE
from modelwright_operator.cluster.login import Login
from modelwright_operator.cluster.reflector import SILENCE_SECONDS, WATCH_SECONDS
from modelwright_operator.cluster.resources import INFERENCE_SERVICE
from modelwright_operator.queue import KeyedQueue

_LOGIN_LASTS = timedelta(minutes=10)
"""How long kopf keeps a service account's token before it asks for the file's present content."""


def make_registry(
    login: Login, cache: Cache, queue: KeyedQueue[Key], *, stop: Callable[[], Awaitable[None]]
) -> kopf.OperatorRegistry:
    """Return the handlers, in a registry of their own. ``stop`` ends the operator's own work when kopf ends.

    Not kopf's default registry: that one would import any Kubernetes client that happens to be installed, to
    log in.
    """
    registry = kopf.OperatorRegistry()
    group, _, version = INFERENCE_SERVICE.api_version.partition("/")

    @kopf.on.login(registry=registry)
    async def log_in(**_: object) -> kopf.ConnectionInfo:
        return connection(login, now=lambda: datetime.now(UTC))

    @kopf.on.event(group, version, INFERENCE_SERVICE.plural, registry=registry)
    async def observe(event: kopf.RawEvent, **_: object) -> None:
        observe_service(event["type"], dict(event["object"]), cache, queue)

    @kopf.on.cleanup(registry=registry)
    async def clean_up(**_: object) -> None:
        # Before kopf looks for tasks that hang: it would cancel ours one by one and raise what they were failing with.
        await stop()

    return registry


def observe_service(kind: str | None, obj: dict[str, Any], cache: Cache, queue: KeyedQueue[Key]) -> None:
    """Put an InferenceService's event into the cache, and its key into the queue if it says anything new."""
    metadata = obj["metadata"]
    key = Key(metadata["namespace"], metadata["name"])
    if kind == "DELETED":
        cache.drop_service(key, int(metadata["resourceVersion"]))
        queue.forget(key)
    elif cache.put_service(obj):
        queue.add(key)


def connection(login: Login, *, now: Callable[[], datetime]) -> kopf.ConnectionInfo:
    """Return the same login as the operator's own client uses, in kopf's terms."""
    return kopf.ConnectionInfo(
        server=login.server,
        ca_path=login.ca_file,
        ca_data=login.ca_data,
        insecure=login.insecure,
        token=login.bearer(),
        certificate_path=login.certificate_file,
        certificate_data=login.certificate_data,
        private_key_path=login.key_file,
        private_key_data=login.key_data,
        expiration=now() + _LOGIN_LASTS if login.token_file else None,
    )


def kopf_settings() -> kopf.OperatorSettings:
    """Return kopf's settings: watch one kind, write nothing, need no right beyond that kind."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.peering.standalone = True
    settings.watching.server_timeout = WATCH_SECONDS[0]
    settings.watching.client_timeout = WATCH_SECONDS[0] + SILENCE_SECONDS
    settings.watching.inactivity_timeout = SILENCE_SECONDS
    # About a minute of trying, never more than 5 s from being back once the API server is.
    settings.networking.error_backoffs = (0.5, 1, 2, 3, *[5] * 12)
    settings.watching.chunk_size = PAGE_SIZE
    # A worker keeps its object's last event, whole, for as long as it idles.
    settings.queueing.idle_timeout = 0.2
    settings.process.ultimate_exiting_timeout = 30.0
    settings.execution.max_workers = 1
    return settings
