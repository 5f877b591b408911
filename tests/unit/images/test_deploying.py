"""The objects of a deployment, waiting for them, and what a dry run prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from modelwright.images.deploying import objects, source
from modelwright.images.deploying.follow import follow
from modelwright.images.errors import ImageError
from modelwright.images.order import Order
from modelwright.images.reference import parse

from tests.unit.images.stub_registry import Stub

ISVC = """apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, labels: {team: flowers}}
spec:
  predictor:
    workers: 2
    containers:
      - {name: sidecar, image: other:1}
      - {name: kserve-container, image: "localhost:5000/iris:v1", resources: {limits: {cpu: "1"}}}
"""


def deploy(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "modelwright", "deploy", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def state(*conditions: tuple[str, str, str, str], generation: int = 1, kind: str = "ModelImage") -> dict[str, Any]:
    listed = [dict(zip(("type", "status", "reason", "message"), each, strict=True)) for each in conditions]
    return {
        "kind": kind,
        "metadata": {"name": "iris", "generation": 1},
        "status": {"observedGeneration": generation, "conditions": listed},
    }


def test_the_authors_own_service_is_kept_but_for_its_image(model: Path) -> None:
    (model / "isvc.yaml").write_text(ISVC)
    given = objects.from_folder(model)
    made = objects.inference_service("other", "team", given, "s3://bucket/iris")
    assert made["metadata"] == {"name": "other", "namespace": "team", "labels": {"team": "flowers"}}
    predictor = made["spec"]["predictor"]
    assert (predictor["workers"], predictor["storageUri"]) == (2, "s3://bucket/iris")
    assert [each["image"] for each in predictor["containers"]] == ["other:1", "modelimage://other"]
    assert objects.image_of(given) == "localhost:5000/iris:v1"
    assert objects.port_of(given) == 8080
    given["spec"]["predictor"]["containers"][1]["ports"] = [{"containerPort": 9000}]
    assert objects.port_of(given) == 9000


def test_without_one_a_service_is_written() -> None:
    assert objects.inference_service("iris", "", None, "")["spec"] == {
        "predictor": {"containers": [{"name": "kserve-container", "image": "modelimage://iris"}]}
    }


def test_a_model_image_says_only_what_was_said(model: Path) -> None:
    order = Order(model, parse("host:1/iris:1"), push=True)
    assert objects.model_image("iris", "team", order, "host:1/iris@sha256:0")["spec"] == {
        "tag": "host:1/iris:1", "source": {"registry": {"image": "host:1/iris@sha256:0"}}, "build": {"env": []},
    }  # fmt: skip
    order = Order(model, parse("host:1/iris:1"), builder="b", with_weights=True, environment={"A": "b"})
    spec = objects.model_image("iris", "team", order, "s", "robot", "certificates")["spec"]
    assert (spec["builder"], spec["serviceAccountName"], spec["build"]["caBundle"]) == ("b", "robot", "certificates")
    assert spec["build"]["env"] == [
        {"name": "BP_MODELWRIGHT_WITH_WEIGHTS", "value": "true"}, {"name": "A", "value": "b"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "is no YAML"),
        ("kind: Service\n", "is no InferenceService with spec.predictor"),
        (ISVC.partition("    containers")[0] + "    containers: []\n", "must be a list with one container"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_named(model: Path, text: str, said: str) -> None:
    (model / "isvc.yaml").write_text(text)
    with pytest.raises(ImageError) as caught:
        objects.from_folder(model)
    assert said in str(caught.value)


def test_progress_is_each_condition_once_and_ready_ends_it() -> None:
    said: list[str] = []
    states = [
        state(("Fetched", "True", "", "")),
        state(("Fetched", "True", "", ""), ("Built", "Unknown", "Running", "uv pip install")),
        # Of an older generation: not what was asked for.
        state(("Ready", "True", "", ""), generation=0),
        state(("Fetched", "True", "", ""), ("Ready", "True", "Built", "")),
        state(("Ready", "False", "Never", "seen")),
    ]
    assert follow(states, "ModelImage iris", 60, said.append) is states[3]
    assert said == [
        "ModelImage iris: Fetched True", "ModelImage iris: Built Unknown Running: uv pip install",
        "ModelImage iris: Ready True", "ModelImage iris: Ready True Built",
    ]  # fmt: skip


def test_what_failed_for_good_is_said_with_its_last_lines() -> None:
    failed = state(
        ("Fetched", "True", "", ""),
        ("Built", "False", "ExitCode1", "[Error: no such package]\nCheck the spelling."),
        ("Ready", "False", "Built", "see Built"),
        ("Stalled", "True", "Built", ""),
    )
    with pytest.raises(ImageError, match=r"ModelImage iris: Built failed \(ExitCode1\):\n\[Error: no such package\]"):
        follow([failed], "ModelImage iris", 60, lambda _: None)


def test_the_failure_of_a_build_from_before_a_change_is_waited_over() -> None:
    failed = state(("Built", "False", "ExitCode1", "old"), ("Stalled", "True", "Built", ""))
    failed["status"]["latestBuild"] = "iris-build-1"
    ready = state(("Ready", "True", "", ""))
    assert follow([failed, ready], "iris", 60, lambda _: None, before="iris-build-1") is ready
    with pytest.raises(ImageError, match="Built failed"):
        follow([failed, ready], "iris", 60, lambda _: None, before="iris-build-0")


def test_a_service_that_is_ready_with_the_image_of_before_is_waited_for() -> None:
    states = [state(("Ready", "True", "", "")), state(("Ready", "True", "", ""))]
    assert follow(states, "iris", 60, lambda _: None, done=lambda each: each is states[1]) is states[1]


def test_time_that_is_over_says_what_was_missing() -> None:
    with pytest.raises(ImageError, match="is not ready after 60 s: Built Unknown Running"):
        follow([state(("Built", "Unknown", "Running", ""))], "ModelImage iris", 60, lambda _: None)
    with pytest.raises(ImageError, match="the operator has not said anything of it"):
        follow([], "ModelImage iris", 60, lambda _: None)


def test_a_dry_run_prints_yaml_alone_and_asks_nobody(model: Path) -> None:
    (model / "isvc.yaml").write_text(ISVC)
    done = deploy(model, "--dry-run", "-o", "yaml", "--name", "flower", "-n", "team")
    assert done.returncode == 0, done.stderr
    image, service = yaml.safe_load_all(done.stdout)
    assert (image["kind"], service["kind"]) == ("ModelImage", "InferenceService")
    assert image["metadata"] == {"name": "flower", "namespace": "team"}
    named = image["spec"]["source"]["registry"]["image"]
    assert named == f"localhost:5000/iris@{source.digest(model, with_weights=False)}"
    assert "nothing was uploaded" in done.stderr


def test_a_dry_run_that_uploads_names_what_is_in_the_registry(model: Path, registry: Stub) -> None:
    done = deploy(model, "--dry-run", "--upload", "-t", f"{registry.host}/team/iris:1", "--name", "iris")
    assert done.returncode == 0, done.stderr
    assert list(registry.manifests) == ["iris-source"]
    assert len(registry.blobs) == 2
    assert "namespace" not in next(yaml.safe_load_all(done.stdout))["metadata"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name the image to push with -t REGISTRY/NAME:TAG"),
        (("-t", "iris:1"), "'iris:1' names no registry"),
        (("-t", "host:1/iris:1", "--name", "Iris!"), "'Iris!' can name no service"),
        (("-t", "host:1/iris:1", "-o", "yaml"), "-o and --upload belong to --dry-run"),
        (("-t", "host:1/iris:1", "--env", "A B=c", "--dry-run"), "--env 'A B' is no NAME=VALUE"),
        (("-t", "host:1/iris:1", "--env", "NOT_SET_ANYWHERE", "--dry-run"), "there is no such variable here"),
    ],
)
def test_what_cannot_be_deployed_is_one_message(model: Path, words: tuple[str, ...], said: str) -> None:
    done = deploy(model, *words)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_no_cluster_is_said_before_anything_is_uploaded(
    model: Path, registry: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    done = deploy(model, "-t", f"{registry.host}/iris:1")
    assert (done.returncode, "set KUBECONFIG" in done.stderr) == (2, True), done.stderr
    assert registry.manifests == {}
