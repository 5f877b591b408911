"""A real cluster, real images and an installed operator, brought up where they are not there already."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.provider import ClusterInfo
from demo import stack
from tests.e2e.ingress import Ingress
from tests.e2e.kubectl import Kubectl


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[ClusterInfo]:
    """The test Kubernetes with the operator in it; taken down at the end only if this session brought it up."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        was_running = stack.is_up()
        info = stack.up()
    yield info
    if not was_running:
        stack.down()


@pytest.fixture(scope="session")
def admin(cluster: ClusterInfo) -> Kubectl:
    """kubectl as the cluster's administrator, in no namespace of a test's own."""
    return Kubectl(Path(cluster.bin) / "kubectl", str(cluster.kubeconfig))


@pytest.fixture
def kubectl(admin: Kubectl) -> Iterator[Kubectl]:
    """kubectl in a namespace of the test's own, which enforces Pod Security `restricted`."""
    name = f"e2e-{secrets.token_hex(3)}"
    admin("create", "namespace", name)
    admin("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield replace(admin, namespace=name)
    admin("delete", "namespace", name, "--wait=false")


@pytest.fixture
def ingress(cluster: ClusterInfo) -> Ingress:
    """The way in from outside."""
    return Ingress(cluster.ingress_url)
