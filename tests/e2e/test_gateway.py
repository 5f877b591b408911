"""The same service behind a Gateway: HTTPRoutes instead of an Ingress, by one setting of the chart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo import stack
from tests.e2e.ingress import Ingress
from tests.e2e.kubectl import Kubectl, until
from tests.e2e.objects import isvc

SETOSA = [5.1, 3.5, 1.4, 0.2]


@pytest.fixture
def gateway_setting(admin: Kubectl) -> Iterator[None]:
    """The operator with HTTPRoutes; with Ingresses again afterwards."""
    assert admin.find("gateways", "-n", "modelwright-gateway", "modelwright") is not None
    stack.install(**{"settings.routeKind": "HTTPRoute"})
    yield
    stack.install()


def test_routes_follow_the_setting_and_no_pod_restarts(
    kubectl: Kubectl, ingress: Ingress, request: pytest.FixtureRequest
) -> None:
    kubectl.apply(isvc("iris"))
    kubectl.wait_ready("iris")
    pods = {pod["metadata"]["uid"]: pod["status"]["startTime"] for pod in kubectl.items("pods")}

    request.getfixturevalue("gateway_setting")
    until(
        lambda: kubectl.find("httproute", "iris") and not kubectl.find("ingress", "iris"),
        30,
        lambda: "the Ingress was not replaced by HTTPRoutes",
    )
    found = kubectl.wait_ready("iris")
    assert ingress.predict(found, [SETOSA]).body == {"predictions": [0]}
    routes = {route["metadata"]["name"]: route["spec"]["hostnames"] for route in kubectl.items("httproutes")}
    assert routes["iris"] == [f"iris-{kubectl.namespace}.example.com"]
    assert pods == {pod["metadata"]["uid"]: pod["status"]["startTime"] for pod in kubectl.items("pods")}
