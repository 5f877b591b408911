"""A folder on its way to being a service: the steps of `modelwright deploy`, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from modelwright.images import content
from modelwright.images.deploying import objects, source
from modelwright.images.deploying.cluster import Cluster
from modelwright.images.deploying.follow import follow
from modelwright.images.deploying.forward import forwarded
from modelwright.images.order import Order
from modelwright.images.registry import registry

Object = dict[str, Any]


# More than a pod's grace period by default.
_LEAVE_SECONDS: Final = 60.0


@dataclass
class Deployment:
    """`given` is the InferenceService that lies in the folder, if one does; `seconds` is how long each wait may be.

    `push_to` is the registry's host as this machine reaches it, where the cluster has another name for it.
    """

    order: Order
    called: str
    given: Mapping[str, Any] | None
    storage_uri: str = ""
    context: str | None = None
    namespace: str | None = None
    account: str = ""
    ca_bundle: str = ""
    push_to: str = ""
    seconds: float = 1800.0
    _cluster: Cluster | None = field(default=None, repr=False)

    def written(self, *, upload: bool) -> str:
        """Give both objects as YAML; the namespace is in them only where it was named. Raises ImageError."""
        content.check(self.order.folder)
        found = [_without_namespace(each) for each in self._objects(self._source(upload=upload), self.namespace or "")]
        return objects.as_yaml(*found)

    def applied(self, say: Callable[[str], None]) -> Object:
        """Upload, apply, wait for the image and then for the service, and give the service.

        Raises:
            ImageError: a step failed; the message has its last lines and what to do.

        """
        content.check(self.order.folder)
        cluster = self._cluster = Cluster(self.context, self.namespace)
        uploaded = self._source(upload=True)
        say(f"source: {uploaded}")
        image, service = self._objects(uploaded, cluster.namespace)
        built = cluster.built(image, self.seconds, say)
        say(f"image: {built}")
        cluster.apply(service)
        served = follow(
            cluster.watched(service, self.seconds),
            f"InferenceService {self.called}",
            self.seconds,
            say,
            # An image that is new is rolled out by the operator; until then the service is Ready with the one before.
            done=lambda _: cluster.runs(self.called, built),
        )
        # A pod that leaves is sent requests for some moments yet, and would answer as the model did before.
        if not cluster.left(self.called, _LEAVE_SECONDS):
            say("pods of the image before are still leaving; they may answer the first requests")
        return served

    def forwarded(self) -> AbstractContextManager[str]:
        """Give the address of a pod's port while the block runs. Raises ImageError."""
        cluster = self._cluster or Cluster(self.context, self.namespace)
        return forwarded(cluster, self.called, objects.port_of(self.given))

    def _source(self, *, upload: bool) -> str:
        place = source.place(self.order.tag, self.called)
        weights = self.order.with_weights
        if not upload:
            return str(place.at(source.digest(self.order.folder, with_weights=weights)))
        here = replace(place, host=self.push_to or place.host)
        registry().may_push(here)
        return str(place.at(source.upload(self.order.folder, here, with_weights=weights).digest))

    def _objects(self, uploaded: str, namespace: str) -> tuple[Object, Object]:
        image = objects.model_image(self.called, namespace, self.order, uploaded, self.account, self.ca_bundle)
        return image, objects.inference_service(self.called, namespace, self.given, self.storage_uri)


def _without_namespace(made: Object) -> Object:
    metadata = {name: value for name, value in made["metadata"].items() if name != "namespace" or value}
    return {**made, "metadata": metadata}
