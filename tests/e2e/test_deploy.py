"""`modelwright deploy`: from a folder to a URL and a prediction, and what is said where a step fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from buildpacks.builder.create import builder
from cluster.provider import ClusterInfo
from tests.e2e.images import EXAMPLES
from tests.e2e.kubectl import Kubectl

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


class Author:
    """Somebody with a folder, a kubeconfig, and a registry that the cluster knows too."""

    def __init__(self, cluster: ClusterInfo, kubectl: Kubectl, folder: Path) -> None:
        self.folder, self._cluster, self._kubectl = folder, cluster, kubectl
        self.registry = cluster.pod_registry or ""
        self.tag = f"{self.registry}/{kubectl.namespace}/iris:v1"

    def modelwright(self, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "modelwright", verb, str(self.folder), "-t", self.tag]
        command += ["--builder", f"{self.registry}/modelwright/builder:dev", "--ca-bundle", "trust"]
        # The builder names it as this machine does, which pods cannot reach.
        command += ["--run-image", f"{self.registry}/modelwright/run:bookworm", "-n", self._kubectl.namespace, *words]
        environment = {**os.environ, "KUBECONFIG": str(self._cluster.kubeconfig)}
        return subprocess.run(
            command, capture_output=True, text=True, timeout=900, check=False, env=environment,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip


@pytest.fixture
def author(cluster: ClusterInfo, kubectl: Kubectl, tmp_path: Path) -> Author:
    """The iris example in a folder of its own, and the authorities that this machine's egress is trusted by."""
    if not (cluster.pod_registry or "").partition(":")[0].replace(".", "").isdigit():
        pytest.fail("this machine cannot push to the registry by the name that pods have for it")
    builder()
    folder = tmp_path / "iris"
    shutil.copytree(EXAMPLES / "01-iris", folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = Path(os.environ.get("SSL_CERT_FILE") or CERTIFICATES).read_text()
    kubectl.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "trust"}, "data": {"cabundle.crt": text}}
    )
    return Author(cluster, kubectl, folder)


def reverse(folder: Path) -> None:
    """Change the model: its classes in reverse."""
    with np.load(folder / "weights.npz") as original:
        reversed_ = {name: values[::-1] for name, values in original.items()}
    np.savez(folder / "weights.npz", **reversed_)


def test_a_folder_becomes_a_url_and_a_prediction_and_so_does_its_change(author: Author, cluster: ClusterInfo) -> None:
    first = author.modelwright("deploy")

    assert first.returncode == 0, first.stderr
    url, answer = first.stdout.splitlines()
    assert url.startswith("http://iris")
    assert answer.replace(" ", "") == 'iris:{"predictions":[0,1,2]}'
    for said in ("source: ", "ModelImage iris: Built True", "image: ", "InferenceService iris: Ready True"):
        assert f"modelwright: {said}" in first.stderr, first.stderr

    reverse(author.folder)
    second = author.modelwright("deploy", "--ingress", cluster.ingress_url)

    assert second.returncode == 0, second.stderr
    assert second.stdout.splitlines()[1].replace(" ", "") == 'iris:{"predictions":[2,1,0]}', second.stderr


def test_a_build_that_fails_ends_it_with_the_steps_last_lines(author: Author, kubectl: Kubectl) -> None:
    (author.folder / "requirements.txt").write_text("iniconfig==0.0.77\n")

    done = author.modelwright("deploy")

    assert done.returncode == 2
    assert "ModelImage iris: Built failed" in done.stderr
    assert "iniconfig==0.0.77" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert kubectl.items("inferenceservices") == []


def test_the_cluster_builds_for_modelwright_build(author: Author, kubectl: Kubectl) -> None:
    (author.folder / "requirements.txt").write_text("numpy==2.4.6\n")

    done = author.modelwright("build", "--in-cluster")

    assert done.returncode == 0, done.stderr
    assert "by cluster" in done.stdout
    assert "base image" in done.stdout
    latest = kubectl.get("modelimage", "iris")["status"]["latestImage"]
    assert latest.partition("@")[2] in done.stdout


def test_what_a_dry_run_prints_the_cluster_takes(author: Author, kubectl: Kubectl) -> None:
    done = author.modelwright("deploy", "--dry-run", "-o", "yaml", "--upload")

    assert done.returncode == 0, done.stderr
    image, service = yaml.safe_load_all(done.stdout)
    kubectl.apply(image)
    kubectl.apply(service)
    assert kubectl.get("modelimage", "iris")["spec"]["tag"] == author.tag
