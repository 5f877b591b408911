"""The cluster as an engine: the folder goes to the registry, and a ModelImage's Job builds it there."""

from __future__ import annotations

from typing import Final

from modelwright.images.deploying import objects, source
from modelwright.images.deploying.cluster import Cluster as Api
from modelwright.images.order import Lines, Order
from modelwright.images.reference import parse

SECONDS: Final = 1800.0


class Cluster:
    """A ModelImage named as the service; the operator runs the lifecycle and pushes."""

    name = "cluster"
    what = "a Job in the cluster, by a ModelImage"

    def __init__(
        self, context: str | None, namespace: str | None, *, called: str = "", account: str = "", ca_bundle: str = ""
    ) -> None:
        self._context, self._namespace = context, namespace
        self._called, self._account, self._ca_bundle = called, account, ca_bundle

    def unfit(self, order: Order) -> str | None:
        """See `order.Engine`."""
        return None if order.push else "the cluster has only the registry to put an image to: add --push"

    def build(self, order: Order, each: Lines) -> str:
        """See `order.Engine`."""
        api = Api(self._context, self._namespace)
        called = objects.name(self._called or order.tag.repository.rpartition("/")[2], "--name")
        place = source.place(order.tag, called)
        uploaded = source.upload(order.folder, place, with_weights=order.with_weights)
        each(f"source: {uploaded}")
        made = objects.model_image(called, api.namespace, order, str(uploaded), self._account, self._ca_bundle)
        return parse(api.built(made, SECONDS, each)).digest
