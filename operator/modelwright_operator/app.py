"""The composition root: settings in, a running operator out."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
import time
from collections.abc import Callable, Collection, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import kopf

from modelwright_operator.builds import Builds
from modelwright_operator.cluster import errors
from modelwright_operator.cluster.cache import Cache, Key
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.events import EventRecorder
from modelwright_operator.cluster.health import probes
from modelwright_operator.cluster.images import Images
from modelwright_operator.cluster.lease import LeaderLease
from modelwright_operator.cluster.login import Login, find_login
from modelwright_operator.cluster.mounts import MountEvents
from modelwright_operator.cluster.reflector import ChildSink, Reflector, for_accounts
from modelwright_operator.cluster.resources import (
    CHILDREN,
    HTTP_ROUTE,
    INFERENCE_SERVICE,
    OWNER_LABEL,
    POD,
    Resource,
)
from modelwright_operator.cluster.secrets import SecretMetadata
from modelwright_operator.handlers import kopf_settings, make_registry
from modelwright_operator.queue import Backoff, KeyedQueue
from modelwright_operator.reconcile import Reconciler
from modelwright_operator.report import Reporter
from modelwright_operator.settings import Settings

logger = logging.getLogger(__name__)

COALESCE_SECONDS = 0.05
"""How long a child's change waits for others: one rollout changes a Deployment several times in a moment."""
LEASE_NAME = "modelwright-operator"
CRD_SECONDS = 5.0
"""How often to look for the CustomResourceDefinition while it is missing."""


class Operator:
    """The operator's parts, put together."""

    def __init__(self, settings: Settings, login: Login, client: Client) -> None:
        self._settings, self._login, self._client = settings, login, client
        self._identity = f"{os.environ.get('HOSTNAME') or socket.gethostname()}-{random.getrandbits(32):08x}"
        self._gate = asyncio.Event()
        self._cache = Cache()
        backoff = Backoff(first=settings.retry_initial_seconds, most=settings.retry_max_seconds)
        self._queue: KeyedQueue[Key] = KeyedQueue(backoff=backoff)
        self._recorder = EventRecorder(client, instance=self._identity[-128:], clock=time.monotonic)
        self._images = Images()
        self._builds = Builds(
            client, self._cache, settings, recorder=self._recorder, images=self._images, notify=self._notify
        )
        self._reconciler = Reconciler(
            client,
            self._cache,
            settings,
            reporter=self._make_reporter(),
            secrets=SecretMetadata(
                client,
                enabled=settings.read_secret_metadata,
                fresh_for=settings.resync_seconds,
                clock=time.monotonic,
            ),
            images=self._images,
            clock=time.monotonic,
        )
        self._reflectors = self._make_reflectors()

    def _make_reporter(self) -> Reporter:
        return Reporter(
            self._client,
            self._cache,
            self._settings,
            recorder=self._recorder,
            mounts=MountEvents(self._client, clock=time.monotonic),
            images=self._images,
            now=lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )

    def _make_reflectors(self) -> list[Reflector]:
        everywhere: tuple[str | None, ...] = (None,)
        namespaces = self._settings.namespaces or everywhere
        labelled = [self._reflect(resource, namespace) for namespace in namespaces for resource in (*CHILDREN, POD)]
        accounts = [
            for_accounts(self._client, namespace, self._cache, self._notify, self._builds.account_changed)
            for namespace in namespaces
        ]
        builds = [reflector for namespace in namespaces for reflector in self._builds.reflectors(namespace)]
        return labelled + accounts + builds

    def _reflect(self, resource: Resource, namespace: str | None) -> Reflector:
        return Reflector(
            self._client,
            resource,
            namespace,
            sink=ChildSink(self._cache, resource.kind),
            notify=self._notify,
            selector=OWNER_LABEL,
            optional=resource is HTTP_ROUTE and self._settings.route_kind != "HTTPRoute",
        )

    def _notify(self, key: Key) -> None:
        self._queue.add(key, after=COALESCE_SECONDS)

    def _not_ready(self) -> str | None:
        missing = [reflector.what for reflector in self._reflectors if not reflector.synced.is_set()]
        return f"waiting for the first list of {', '.join(missing)}" if missing else None

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; raise what made it impossible to go on."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(
                probes(port=self._settings.health_port, alive=lambda: None, ready=self._not_ready)
            )
            await self._wait_for_crd()
            group = await stack.enter_async_context(asyncio.TaskGroup())
            tasks = [group.create_task(coroutine) for coroutine in self._background()]
            await kopf.operator(
                registry=make_registry(self._login, self._cache, self._queue, stop=lambda: _end(tasks)),
                settings=kopf_settings(),
                standalone=True,
                clusterwide=not self._settings.namespaces,
                namespaces=self._settings.namespaces,
            )
            await _end(tasks)

    def _background(self) -> list[Coroutine[Any, Any, None]]:
        return [
            *(reflector.run() for reflector in self._reflectors),
            self._queue.run(self._reconciler, workers=self._settings.workers, gate=self._gate),
            self._builds.queue.run(self._builds.work, workers=self._settings.workers, gate=self._gate),
            self._recorder.run(),
            self._resync(),
            self._open_gate(),
        ]

    async def _open_gate(self) -> None:
        """Let the queue run once every cache is warm (a cold one would show children as missing), and while leading."""
        started = time.monotonic()
        for reflector in self._reflectors:
            await reflector.synced.wait()
        logger.info("caches are warm after %.1f s", time.monotonic() - started)
        if not self._settings.leader_election:
            self._gate.set()
            return
        lease = LeaderLease(
            self._client,
            lease=Key(self._login.namespace, LEASE_NAME),
            identity=self._identity,
            leading=self._gate,
            clock=time.monotonic,
        )
        await lease.run()

    async def _resync(self) -> None:
        """Look at every InferenceService and ModelImage once per period, spread over it."""
        period = self._settings.resync_seconds
        while True:
            await asyncio.sleep(period)
            for cache, queue in ((self._cache, self._queue), (self._builds.cache, self._builds.queue)):
                for key in cache.services():
                    queue.add(key, after=random.uniform(0, period))  # noqa: S311 - spreads work, guards nothing

    async def _wait_for_crd(self) -> None:
        """Wait until InferenceServices can be listed: kopf looks for the kind once and would idle without it."""
        namespace = self._settings.namespaces[0] if self._settings.namespaces else None
        told = ""
        while True:
            try:
                await anext(aiter(self._client.list(INFERENCE_SERVICE, namespace)))
            except errors.NotFound:
                problem = "the CustomResourceDefinition inferenceservices.serving.kserve.io is missing; apply crds/"
            except (errors.ApiError, OSError) as error:
                problem = str(error) or type(error).__name__
            else:
                return
            if problem != told:
                logger.warning("waiting: %s", problem)
                told = problem
            await asyncio.sleep(CRD_SECONDS)


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def run(settings: Settings, find: Callable[[], Login] = find_login) -> None:
    """Run the operator until it is told to stop.

    Raises:
        LoginError: there are no credentials.
    """
    login = find()
    where = ", ".join(settings.namespaces) or "all namespaces"
    logger.info("serving InferenceServices in %s of %s", where, login.server)
    async with Client(login) as client:
        await Operator(settings, login, client).run()
    logger.info("stopped")
