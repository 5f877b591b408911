"""What cannot be made because its namespace is being deleted is no failure: the service goes with it."""

from __future__ import annotations

from typing import Any

import pytest
from modelwright_operator.cluster import errors
from modelwright_operator.cluster.cache import Cache, Key
from modelwright_operator.cluster.images import Images
from modelwright_operator.queue import RetryLater
from modelwright_operator.reconcile import LEAVING_SECONDS, Reconciler
from modelwright_operator.settings import Settings

KEY = Key("ns", "m")
LEAVING = {"causes": [{"reason": "NamespaceTerminating", "field": "metadata.namespace"}]}
QUOTA: dict[str, Any] = {}


class Server:
    """Refuses one verb as admission does, and does the other."""

    def __init__(self, refused: str, details: dict[str, Any]) -> None:
        self._refused, self._details = refused, details

    async def apply(self, resource: Any, manifest: dict[str, Any], *, uid: str | None) -> dict[str, Any]:
        self._answer("patch")
        return manifest | {"metadata": manifest["metadata"] | {"uid": "u-2", "resourceVersion": "2"}}

    async def create(self, resource: Any, namespace: str, body: Any) -> dict[str, Any]:
        self._answer("create")
        return {}

    def _answer(self, verb: str) -> None:
        if verb == self._refused:
            raise errors.from_status(403, {"message": "no", "details": self._details}, verb=verb, what="it in ns")


class Reports:
    """What the status would say, None where nothing is reported."""

    error: str | None = None

    async def __call__(self, *told: Any) -> None:
        self.error = told[-1]

    def forget(self, key: Key) -> None:
        """Nothing is kept."""


def reconciler(server: Server, reports: Reports) -> Reconciler:
    cache = Cache()
    container = {"name": "kserve-container", "image": "example.org/model:v1"}
    cache.put_service(
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"namespace": "ns", "name": "m", "uid": "u-1", "generation": 1, "resourceVersion": "1"},
            "spec": {"predictor": {"containers": [container], "workerSpec": {"size": 1}}},
        }
    )
    given: dict[str, Any] = {"reporter": reports, "secrets": None, "images": Images(), "clock": lambda: 0.0}
    return Reconciler(server, cache, Settings(), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("verb", ["patch", "create"])
async def test_the_pass_ends_without_a_failure(verb: str) -> None:
    reports = Reports()
    assert await reconciler(Server(verb, LEAVING), reports)(KEY) == LEAVING_SECONDS
    assert reports.error is None


@pytest.mark.parametrize("verb", ["patch", "create"])
async def test_another_refusal_is_told_and_tried_again(verb: str) -> None:
    reports = Reports()
    with pytest.raises(RetryLater, match="no"):
        await reconciler(Server(verb, QUOTA), reports)(KEY)
    assert f"{verb} it in ns: no" in str(reports.error)
