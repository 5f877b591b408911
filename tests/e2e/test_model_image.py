"""A folder becomes an image in the cluster, a service runs it by name, and follows when the folder changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from buildpacks.builder.create import builder
from cluster.provider import ClusterInfo
from demo import stack
from tests.e2e.images import EXAMPLES
from tests.e2e.ingress import Ingress
from tests.e2e.kubectl import Kubectl, until
from tests.e2e.objects import isvc
from tests.e2e.sources import GitRepository, exists, push, served
from tests.e2e.sshd import running

SETOSA = [5.1, 3.5, 1.4, 0.2]
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
BUILD_SECONDS = 480
"""A build installs numpy and kserve from the index, on a machine that may be doing something else."""


@pytest.fixture(scope="session")
def registry(cluster: ClusterInfo) -> str:
    """The registry by the name that pods and nodes both know."""
    assert cluster.pod_registry
    builder()
    return cluster.pod_registry


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    """The iris example, to be changed."""
    folder = tmp_path / "iris"
    shutil.copytree(EXAMPLES / "01-iris", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def git(tmp_path: Path, cluster: ClusterInfo) -> Iterator[GitRepository]:
    with served(tmp_path / "repository", stack.node_address()) as repository:
        yield repository


def reverse(folder: Path) -> None:
    """Change the model: its classes in reverse."""
    with np.load(folder / "weights.npz") as original:
        reversed_ = {name: values[::-1] for name, values in original.items()}
    np.savez(folder / "weights.npz", **reversed_)


def certificates() -> dict[str, Any]:
    """The authorities that this machine trusts, for an egress with one of its own."""
    text = Path(os.environ.get("SSL_CERT_FILE") or CERTIFICATES).read_text()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "trust"}, "data": {"cabundle.crt": text}}


def image(kubectl: Kubectl, registry: str, source: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "modelwright.dev/v1alpha1",
        "kind": "ModelImage",
        "metadata": {"name": "iris"},
        "spec": {
            "tag": f"{registry}/{kubectl.namespace}/iris:latest",
            "builder": f"{registry}/modelwright/builder:dev",
            # The builder names it as this machine does, which pods cannot reach.
            "runImage": f"{registry}/modelwright/run:bookworm",
            "source": source,
            "build": {"caBundle": "trust"},
            **spec,
        },
    }


def ready(kubectl: Kubectl) -> dict[str, Any]:
    return ready_of(kubectl.get("modelimage", "iris"))


def ready_of(found: dict[str, Any]) -> dict[str, Any]:
    conditions = found.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == "Ready"), {})


def told(kubectl: Kubectl) -> str:
    return f"{kubectl.get('modelimage', 'iris').get('status')} {kubectl('get', 'pods', '-o', 'wide', check=False)}"


def built(kubectl: Kubectl, count: int = 1) -> str:
    """Wait until so many builds are over and the image is what source and builder are; return it."""

    def look() -> str | None:
        found = kubectl.get("modelimage", "iris")
        status = found.get("status", {})
        seen = status.get("observedGeneration") == found["metadata"]["generation"]
        over = seen and ready_of(found).get("status") == "True" and status.get("buildCount", 0) >= count
        return status.get("latestImage") if over else None

    return until(look, BUILD_SECONDS, lambda: told(kubectl))


def by_name() -> dict[str, Any]:
    return isvc("iris", container={"image": "modelimage://iris", "imagePullPolicy": "IfNotPresent"})


def predicts(kubectl: Kubectl, ingress: Ingress, image: str, answer: int) -> None:
    """Wait until the service runs this image, and ask it."""

    def runs() -> bool:
        container = kubectl.get("deployment", "iris-predictor")["spec"]["template"]["spec"]["containers"][0]
        return bool(container["image"] == image)

    until(runs, 60, lambda: f"the Deployment never had {image}")
    found = kubectl.wait_ready("iris")
    # A pod that leaves answers for some moments yet.
    asked = partial(ingress.predict, found, [SETOSA])
    until(lambda: asked().body == {"predictions": [answer]}, 60, lambda: f"it answers {asked().body}")


def test_a_folder_in_the_registry_is_built_served_and_followed(
    kubectl: Kubectl, ingress: Ingress, registry: str, iris: Path
) -> None:
    repository = f"{kubectl.namespace}/iris"
    source = push(registry, repository, "iris-source", iris)
    cache = {"volume": {"size": "1Gi"}}
    kubectl.apply(certificates(), image(kubectl, registry, {"registry": {"image": source}}, cache=cache), by_name())
    kubectl.wait_reason("iris", "ImageNotBuilt")
    first = built(kubectl)
    assert first.startswith(f"{registry}/{repository}@sha256:")
    assert exists(registry, repository, first.partition("@")[2])
    predicts(kubectl, ingress, first, 0)
    log = kubectl("logs", "job/iris-build-1", "-c", "build")
    assert "kserve" in log

    reverse(iris)
    changed = push(registry, repository, "iris-source", iris)
    patch = f'{{"spec": {{"source": {{"registry": {{"image": "{changed}"}}}}}}}}'
    kubectl("patch", "modelimage", "iris", "--type=merge", "-p", patch)
    second = built(kubectl, 2)
    assert second != first
    assert "Restoring" in kubectl("logs", "job/iris-build-2", "-c", "restore")
    predicts(kubectl, ingress, second, 2)

    (iris / "requirements.txt").write_text("nonesuch-of-modelwright==1.0\n")
    broken = push(registry, repository, "iris-source", iris)
    kubectl("patch", "modelimage", "iris", "--type=merge", "-p", patch.replace(changed, broken))
    until(lambda: ready(kubectl).get("reason") == "BuildFailed" or None, BUILD_SECONDS, lambda: told(kubectl))
    assert "nonesuch-of-modelwright" in ready(kubectl)["message"]
    assert kubectl.get("modelimage", "iris")["status"]["latestImage"] == second
    until(
        lambda: kubectl.condition("iris", "ImageOutdated").get("status") == "True" or None,
        60,
        lambda: f"{kubectl.isvc('iris')['status']}",
    )
    predicts(kubectl, ingress, second, 2)


def test_a_branch_is_built_and_followed(
    kubectl: Kubectl, ingress: Ingress, registry: str, iris: Path, git: GitRepository, polling: None
) -> None:
    shutil.copytree(iris, git.path / "models" / "iris")
    first_commit = git.commit("a model")
    source = {"git": {"url": git.url, "revision": "main", "subPath": "models/iris"}}
    cache = {"registry": {"tag": f"{registry}/{kubectl.namespace}/iris:cache"}}
    kubectl.apply(certificates(), image(kubectl, registry, source, cache=cache), by_name())
    first = built(kubectl)
    assert kubectl.get("modelimage", "iris")["status"]["resolved"]["source"] == first_commit
    predicts(kubectl, ingress, first, 0)

    reverse(git.path / "models" / "iris")
    second_commit = git.commit("another model")
    second = built(kubectl, 2)
    assert second != first
    assert kubectl.get("modelimage", "iris")["status"]["resolved"]["source"] == second_commit
    predicts(kubectl, ingress, second, 2)


def test_a_private_repository_is_fetched_by_ssh(kubectl: Kubectl, registry: str, iris: Path, tmp_path: Path) -> None:
    with running(tmp_path / "sshd", stack.node_address()) as sshd:
        repository = GitRepository.made(tmp_path / "repository")
        shutil.copytree(iris, repository.path / "iris")
        commit = repository.commit("a model")
        source = {"git": {"url": sshd.url(repository.path), "subPath": "iris", "secretName": "deploy"}}
        key = {"ssh-privatekey": sshd.key}
        kubectl.apply(deploy_key(key), certificates(), image(kubectl, registry, source))
        until(lambda: ready(kubectl).get("reason") == "SourceUnavailable" or None, 120, lambda: told(kubectl))
        message = ready(kubectl)["message"]
        assert "the Secret 'deploy' has no key known_hosts" in message
        assert f"`ssh-keyscan -p {sshd.port} {sshd.address}`" in message
        assert sshd.key.splitlines()[1] not in message

        kubectl.apply(deploy_key({**key, "known_hosts": sshd.known_hosts}))

        def fetched() -> bool | None:
            conditions = kubectl.get("modelimage", "iris").get("status", {}).get("conditions", [])
            return any(each["type"] == "Fetched" and each["status"] == "True" for each in conditions) or None

        until(fetched, 240, lambda: told(kubectl))
        assert kubectl.get("modelimage", "iris")["status"]["resolved"]["source"] == commit


def deploy_key(data: dict[str, str]) -> dict[str, Any]:
    # The API server wants the private key in one of this type.
    kind = "kubernetes.io/ssh-auth"
    return {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": {"name": "deploy"}, "stringData": data}


@pytest.fixture
def polling(cluster: ClusterInfo) -> Iterator[None]:
    """The operator looks at sources every ten seconds; afterwards as seldom as it does by default."""
    stack.install(**{"settings.buildPollSeconds": "10"})
    yield
    stack.install()


def test_a_source_that_is_not_there_is_said(kubectl: Kubectl, registry: str) -> None:
    missing = f"{registry}/{kubectl.namespace}/nothing:here"
    kubectl.apply(certificates(), image(kubectl, registry, {"registry": {"image": missing}}))
    until(lambda: ready(kubectl).get("reason") == "SourceUnavailable" or None, 120, lambda: told(kubectl))
    message = ready(kubectl)["message"]
    assert f"{missing}: the registry answers 404 Not Found (" in message
    assert "Check its name and tag" in message
