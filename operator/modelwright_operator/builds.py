"""All that serves ModelImages, put together: their cache and queue, their watches, their passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from modelwright_operator.building import Building
from modelwright_operator.cluster.cache import Cache, Key
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.events import EventRecorder
from modelwright_operator.cluster.images import Images, ImageSink
from modelwright_operator.cluster.reflector import ChildSink, Reflector
from modelwright_operator.cluster.resources import BUILD_CHILDREN, IMAGE_LABEL, KPACK_IMAGE, MODEL_IMAGE, POD
from modelwright_operator.observed.build import build_transitions
from modelwright_operator.queue import Backoff, KeyedQueue
from modelwright_operator.settings import Settings
from modelwright_operator.status_writer import StatusWriter

COALESCE_SECONDS = 0.05
"""How long a change waits for others: a pod's status changes several times in a moment."""


class Builds:
    """ModelImages, and what InferenceServices see of them and of kpack's Images.

    Args:
        client: the API server.
        services: the InferenceServices' cache, which has the ServiceAccounts too.
        settings: the operator's settings.
        recorder: takes events.
        images: what images by name stand for; filed here.
        notify: called with each InferenceService to look at again.
    """

    def __init__(
        self,
        client: Client,
        services: Cache,
        settings: Settings,
        *,
        recorder: EventRecorder,
        images: Images,
        notify: Callable[[Key], None],
    ) -> None:
        self._client, self._services, self._images, self._notify_service = client, services, images, notify
        self.cache = Cache(IMAGE_LABEL)
        backoff = Backoff(first=settings.retry_initial_seconds, most=settings.retry_max_seconds)
        self.queue: KeyedQueue[Key] = KeyedQueue(backoff=backoff)
        writer = StatusWriter(client, self.cache, MODEL_IMAGE, recorder=recorder, transitions=build_transitions)
        self.work = Building(client, self.cache, settings, account=services.account, writer=writer)

    def reflectors(self, namespace: str | None) -> list[Reflector]:
        """Return the watches of one namespace, or of all.

        Nothing of it need be there, nor the rights to it: InferenceServices do not wait for builds.
        """
        owners = _OwnerSink(self.cache, ImageSink(self._images, "modelimage", self._services.services), self)
        kpack = ImageSink(self._images, "kpack", self._services.services)
        return [
            Reflector(self._client, MODEL_IMAGE, namespace, sink=owners, notify=self.notify, optional=True),
            Reflector(self._client, KPACK_IMAGE, namespace, sink=kpack, notify=self._notify_service, optional=True),
            *(
                Reflector(
                    self._client,
                    resource,
                    namespace,
                    sink=ChildSink(self.cache, resource.kind),
                    notify=self.notify,
                    selector=IMAGE_LABEL,
                    optional=True,
                )
                for resource in (*BUILD_CHILDREN, POD)
            ),
        ]

    def notify(self, key: Key) -> None:
        """Look at a ModelImage again."""
        self.queue.add(key, after=COALESCE_SECONDS)

    def notify_services(self, keys: Iterable[Key]) -> None:
        """Look at InferenceServices again."""
        for key in keys:
            self._notify_service(key)

    def account_changed(self, namespace: str) -> None:
        """Look at all ModelImages of a namespace again: their credentials come from ServiceAccounts."""
        for key in self.cache.services(namespace):
            self.notify(key)


class _OwnerSink:
    """Files ModelImages; one whose image moves concerns InferenceServices too."""

    def __init__(self, cache: Cache, images: ImageSink, builds: Builds) -> None:
        self._cache, self._images, self._builds = cache, images, builds

    def put(self, obj: Mapping[str, Any]) -> Iterable[Key]:
        """File the ModelImage."""
        self._builds.notify_services(self._images.put(obj))
        key = Key(obj["metadata"]["namespace"], obj["metadata"]["name"])
        return (key,) if self._cache.put_service(obj) else ()

    def drop(self, namespace: str, name: str, version: int) -> Iterable[Key]:
        """Unfile the ModelImage."""
        self._builds.notify_services(self._images.drop(namespace, name, version))
        key = Key(namespace, name)
        self._cache.drop_service(key, version)
        return (key,)

    def known(self, namespace: str | None) -> list[tuple[str, str]]:
        """Return the filed ModelImages."""
        return [(key.namespace, key.name) for key in self._cache.services(namespace)]
