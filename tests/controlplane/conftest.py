"""A kube-apiserver with etcd and the controllers, no node, and the operator beside it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.provider import host_processes
from tests.controlplane.api import NAMESPACE, Api
from tests.controlplane.builds import Builds
from tests.controlplane.operator_process import (
    NAMESPACE as OPERATOR_NAMESPACE,
)
from tests.controlplane.operator_process import (
    OperatorProcess,
    account_kubeconfig,
    install_rights,
)
from tests.controlplane.schema_api import Kubectl, install_crds


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Path:
    """The kubeconfig of a control plane; it stays up for the next run, `make cluster-down` removes it."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        return host_processes().up(control_plane=True).kubeconfig


@pytest.fixture(scope="session")
def admin(cluster: Path) -> Api:
    """The kube-apiserver as its administrator, with our CRDs in it."""
    install_crds(Kubectl(cluster))
    api = Api(cluster)
    if api.find(NAMESPACE, None, OPERATOR_NAMESPACE) is None:
        api.create(NAMESPACE, None, {"metadata": {"name": OPERATOR_NAMESPACE}})
    return api


@pytest.fixture(scope="session")
def operator_kubeconfig(admin: Api, cluster: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The login of the operator's ServiceAccount."""
    install_rights(cluster)
    return account_kubeconfig(cluster, tmp_path_factory.mktemp("operator"))


@pytest.fixture(scope="session")
def operator(operator_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """The operator, serving all namespaces; ready."""
    process = OperatorProcess(operator_kubeconfig, tmp_path_factory.mktemp("log") / "operator.log")
    process.start()
    yield process
    assert process.stop() == 0, process.log


@pytest.fixture
def namespace(admin: Api) -> Iterator[str]:
    """A namespace of the test's own, with the ServiceAccount that pods need."""
    name = f"test-{secrets.token_hex(4)}"
    admin.create(NAMESPACE, None, {"metadata": {"name": name}})
    yield name
    admin.delete(NAMESPACE, None, name)


@pytest.fixture
def builds(admin: Api, namespace: str) -> Builds:
    """In a namespace that enforces Pod Security `restricted`, as hardened clusters do."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    admin.request(
        "PATCH", NAMESPACE.path(None, namespace), {"metadata": {"labels": labels}}, "application/merge-patch+json"
    )
    return Builds(admin, namespace)
