"""What an image holds and does of its own: a start without Procfile, labels, SBOMs, threads, the layer with torch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.images import EXAMPLES, LAYERS, Built, docker, eventually, image_name, in_container, serving
from tests.unit.buildpacks.staged import wheel

pytestmark = pytest.mark.usefixtures("cluster")

NAME = "question-answering"
ASK = f"""
import urllib.request
url = "http://localhost:9123/v2/models/{NAME}/infer"
print(urllib.request.urlopen(url, open("input.json", "rb").read(), timeout=5).read().decode())
"""
COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
BIG = 2 * 1024 * 1024


@pytest.fixture(scope="module")
def answering(tmp_path_factory: pytest.TempPathFactory, cluster: object) -> Built:
    """04-question-answering, which has no Procfile, from a repository, with weights beside it; built twice."""
    folder = tmp_path_factory.mktemp("answering") / "app"
    shutil.copytree(EXAMPLES / "04-question-answering", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text(f"{COMMIT}\n")
    (folder / "weights.safetensors").write_bytes(b"\0" * BIG)
    built = Built(folder, image_name(), folder.parent / "build.log")
    built.again()
    with (folder / "models.py").open("a") as code:
        code.write("\n# changed\n")
    built.again()
    docker("pull", "--quiet", built.image)
    return built


def label(image: str, name: str) -> str:
    return docker("inspect", "--format", f'{{{{index .Config.Labels "{name}"}}}}', image)


def metadata(image: str) -> dict[str, Any]:
    """What the lifecycle knows of our buildpack's layers in an image, by their names."""
    (ours,) = json.loads(label(image, "io.buildpacks.lifecycle.metadata"))["buildpacks"]
    found: dict[str, Any] = ours["layers"]
    return found


def test_a_rebuild_without_a_procfile_says_how_it_is_started(answering: Built) -> None:
    log = answering.buildpack_log()

    started = log.index("[Processes]")
    assert log[started + 1].startswith("No Procfile: mlserver style, since models.py:")
    assert log[started + 2] == "web (default): modelwright serve . --style mlserver"
    assert "Reusing the dependencies of the previous image: requirements.txt is unchanged" in log


def test_it_serves_as_any_user_on_a_read_only_root_on_the_platform_s_port(answering: Built) -> None:
    with serving(answering.image, PORT="9123") as container:
        assert json.loads(eventually(container, ASK))["model_name"] == NAME


def test_labels_say_what_it_serves_and_where_it_is_from(answering: Built) -> None:
    assert label(answering.image, "dev.modelwright.style") == "mlserver"
    assert label(answering.image, "dev.modelwright.models") == NAME
    assert label(answering.image, "dev.modelwright.python") == "3.11.2"
    assert label(answering.image, "org.opencontainers.image.version") == "v1"
    assert label(answering.image, "org.opencontainers.image.revision") == COMMIT


def test_bills_of_materials_are_in_the_image_and_stay_there_when_layers_are_reused(answering: Built) -> None:
    root = f"{LAYERS.rpartition('/')[0]}/sbom/launch/modelwright_python"
    for layer, package in (("venv", "numpy"), ("server", "modelwright")):
        cyclonedx = json.loads(in_container(answering.image, "cat", f"{root}/{layer}/sbom.cdx.json"))
        spdx = json.loads(in_container(answering.image, "cat", f"{root}/{layer}/sbom.spdx.json"))
        assert package in {each["name"] for each in cyclonedx["components"]}
        assert package in {each["name"] for each in spdx["packages"]}


def test_weights_stay_out_and_the_log_says_so(answering: Built) -> None:
    assert "Left out of the image: weights.safetensors (2.1 MB)" in answering.buildpack_log()
    assert in_container(answering.image, "find", ".", "-name", "weights*") == ""


@pytest.mark.parametrize(("given", "expected"), [({}, "2"), ({"OMP_NUM_THREADS": "5"}, "5")])
def test_threads_follow_the_container_s_cpus(answering: Built, given: dict[str, str], expected: str) -> None:
    variables = [word for name, value in given.items() for word in ("--env", f"{name}={value}")]
    options = ["--rm", "--network", "none", "--cpus", "1.5", *variables, "--entrypoint", "launcher"]

    assert docker("run", *options, answering.image, "--", "printenv", "OMP_NUM_THREADS") == expected


@pytest.mark.usefixtures("without_server")
def test_two_models_with_one_torch_share_its_layer(attempt: Built, tmp_path: Path) -> None:
    other = Built(tmp_path / "other", image_name(), tmp_path / "other.log")
    shutil.copytree(attempt.folder, other.folder)
    for built, more in ((attempt, ""), (other, "iniconfig==2.1.0\n")):
        wheels = built.folder / "wheels"
        wheels.mkdir()
        wheel(
            wheels,
            "torch",
            "2.9+standin",
            {"torch/__init__.py": "NAME = 'torch'\n"},
            "Requires-Dist: nvidia-cublas==0+s",
        )
        wheel(wheels, "nvidia-cublas", "0+s", {"nvidia/cublas/lib.so": b"\0" * 100_000})
        (built.folder / "requirements.txt").write_text(f"--find-links ./wheels\ntorch==2.9+standin\n{more}")
        built.again()
        docker("pull", "--quiet", built.image)

    first, second = metadata(attempt.image), metadata(other.image)
    assert first["shared"]["sha"] == second["shared"]["sha"]
    assert first["venv"]["sha"] != second["venv"]["sha"]
    assert in_container(other.image, "python", "-c", "import torch; print(torch.NAME)") == "torch"
    assert "In a layer that images share: nvidia-cublas==0+s, torch==2.9+standin (0 MB)" in other.buildpack_log()
