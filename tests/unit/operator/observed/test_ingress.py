"""IngressReady: the route's own word for it, and what keeps it."""

from typing import Any

import pytest

from tests.unit.operator.observed.build import Cluster, condition, isvc, ready_pod


def ready(**settings: Any) -> Cluster:
    return Cluster(**settings).complete().with_pods(ready_pod())


def parents(accepted: str = "True", resolved: str = "True", reason: str = "Accepted") -> dict[str, Any]:
    conditions = [
        {"type": "Accepted", "status": accepted, "reason": reason, "message": "said the gateway"},
        {"type": "ResolvedRefs", "status": resolved, "reason": "BackendNotFound", "message": "no such service"},
    ]
    return {"parents": [{"conditions": conditions}]}


def routed(**status: Any) -> Cluster:
    cluster = ready(route_kind="HTTPRoute")
    for name in ("iris", "iris-predictor"):
        cluster.children["HTTPRoute", name]["status"] = parents(**status)
    return cluster


def test_an_ingress_without_address_keeps_the_service_from_being_ready() -> None:
    cluster = ready()
    del cluster.children["Ingress", "iris"]["status"]
    status = cluster.status()
    assert (condition(status)["status"], condition(status)["reason"]) == ("Unknown", "AddressNotAssigned")
    assert condition(status, "PredictorReady")["status"] == "True"
    assert "publishes addresses" in condition(status)["message"]


def test_an_address_can_be_left_out_of_account() -> None:
    cluster = ready(require_route_address=False)
    del cluster.children["Ingress", "iris"]["status"]
    assert condition(cluster.status())["status"] == "True"


def test_a_route_that_does_not_exist_yet() -> None:
    cluster = ready()
    del cluster.children["Ingress", "iris"]
    assert condition(cluster.status())["reason"] == "RouteNotCreated"


def test_an_accepted_http_route_is_ready() -> None:
    assert condition(routed().status(), "IngressReady")["status"] == "True"


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ({"accepted": "False", "reason": "NotAllowedByListeners"}, "False", "NotAllowedByListeners"),
        ({"resolved": "False"}, "False", "BackendNotFound"),
        ({"accepted": "Unknown", "reason": "Pending"}, "Unknown", "Pending"),
    ],
)
def test_a_refused_http_route_says_why(status: dict[str, str], state: str, reason: str) -> None:
    found = condition(routed(**status).status(), "IngressReady")
    assert (found["status"], found["reason"]) == (state, reason)
    assert "HTTPRoute iris: " in found["message"]


def test_an_http_route_that_no_gateway_has_seen() -> None:
    found = condition(ready(route_kind="HTTPRoute").status(), "IngressReady")
    assert (found["status"], found["reason"]) == ("Unknown", "ParentStatusNotAvailable")


def test_a_service_inside_the_cluster_is_ready_without_a_route() -> None:
    cluster = Cluster(isvc(labels={"networking.kserve.io/visibility": "cluster-local"}))
    status = cluster.complete().with_pods(ready_pod()).status()
    assert condition(status)["status"] == "True"
    assert status["url"] == "http://iris-predictor.ns.svc.cluster.local"
