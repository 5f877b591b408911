"""A change of the route kind: what the old kind made is pruned, with Gateway API's real CRDs."""

from __future__ import annotations

from pathlib import Path

import pytest
from modelwright_operator.cluster.resources import HTTP_ROUTE, INFERENCE_SERVICE, INGRESS

from cluster.gateway import gateway_crds
from tests.controlplane.api import Api, isvc, until
from tests.controlplane.operator_process import OperatorProcess
from tests.controlplane.schema_api import Kubectl


@pytest.fixture
def gateway_api(admin: Api, cluster: Path, operator: OperatorProcess):
    """Gateway API's kinds, and no other operator that would want an Ingress meanwhile."""
    Kubectl(cluster)("apply", "--server-side", f"--filename={gateway_crds()}")
    until(lambda: admin.serves(HTTP_ROUTE), what="HTTPRoutes served")
    assert operator.stop() == 0, operator.log
    yield
    operator.start()


def test_routes_follow_the_setting_and_the_old_kind_is_pruned(
    gateway_api, admin: Api, namespace: str, operator_kubeconfig: Path, tmp_path: Path
):
    admin.create(INFERENCE_SERVICE, namespace, isvc("m"))
    routes = OperatorProcess(operator_kubeconfig, tmp_path / "routes.log", ROUTE_KIND="HTTPRoute")
    routes.start()
    for name in ("m", "m-predictor"):
        route = until(lambda name=name: admin.find(HTTP_ROUTE, namespace, name), what=f"HTTPRoute {name}")
        assert route["spec"]["parentRefs"][0]["name"] == "modelwright"
    admin.delete(HTTP_ROUTE, namespace, "m")
    until(lambda: admin.find(HTTP_ROUTE, namespace, "m"), seconds=10.0, what="the HTTPRoute back")
    assert routes.stop() == 0, routes.log
    assert "forbidden" not in routes.log.lower()

    ingresses = OperatorProcess(operator_kubeconfig, tmp_path / "ingresses.log", ROUTE_KIND="Ingress")
    ingresses.start()
    until(lambda: admin.find(INGRESS, namespace, "m"), what="the Ingress")
    until(lambda: not admin.items(HTTP_ROUTE, namespace), what="the HTTPRoutes pruned")
    assert ingresses.stop() == 0, ingresses.log
