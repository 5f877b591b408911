"""Images run the author's command on our server: who gets it, who does not, and what a conflict with it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo import stack
from tests.e2e.images import (
    LAYERS,
    PREDICT,
    Built,
    depend,
    docker,
    eventually,
    image_name,
    in_container,
    refused,
    serving,
)

pytestmark = pytest.mark.usefixtures("cluster")


MODEL = """
from kserve import Model, ModelServer


class Length(Model):
    def load(self):
        self.ready = True

    def predict(self, payload, headers=None):
        return {"predictions": [len(each) for each in payload["instances"]]}


ModelServer().start([Length("iris")])
"""
PLAIN = """
import sys

print(sorted({"httptools", "kserve", "numpy"} & {name.split(".")[0] for name in sys.modules}))
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, cluster: object) -> str:
    """The image of a folder with no requirement at all: a model, and two processes that are none."""
    folder = tmp_path_factory.mktemp("length")
    (folder / "model.py").write_text(MODEL)
    (folder / "plain.py").write_text(PLAIN)
    (folder / "input.json").write_text('{"instances": [[1, 2, 3], []]}')
    (folder / "requirements.txt").touch()
    (folder / "Procfile").write_text("web: python -m model\nplain: python -m plain\nhello: echo hello\n")
    built = Built(folder, image_name(), tmp_path_factory.mktemp("log") / "build.log")
    built.again()
    docker("pull", "--quiet", built.image)
    return built.image


def test_a_folder_that_does_not_name_kserve_is_served_too(image: str) -> None:
    with serving(image, "--http_port", "9123") as container:
        assert json.loads(eventually(container, PREDICT)) == {"predictions": [3, 0]}


def test_the_command_line_is_there_too(image: str) -> None:
    assert "module:Class" in in_container(image, "modelwright", "serve", "--help")


@pytest.mark.parametrize(("process", "printed"), [("plain", "[]"), ("hello", "hello")])
def test_what_does_not_import_kserve_runs_as_ever(image: str, process: str, printed: str) -> None:
    assert docker("run", "--rm", "--network", "none", "--entrypoint", f"/cnb/process/{process}", image) == printed


@pytest.mark.usefixtures("without_server")
def test_who_wants_no_server_gets_none(attempt: Built) -> None:
    attempt.again()
    docker("pull", "--quiet", attempt.image)

    assert "None is installed: BP_MODELWRIGHT_SERVER is false" in attempt.buildpack_log()
    assert in_container(attempt.image, "printenv", "PYTHONPATH") == "/workspace"
    assert in_container(attempt.image, "ls", LAYERS).split() == ["runtime", "venv"]


def test_modelwright_s_own_image_has_the_server_once_and_no_hook(cluster: object) -> None:
    image = f"{stack.OPERATOR}:dev"
    docker("pull", "--quiet", image)

    assert in_container(image, "printenv", "PYTHONPATH") == f"{LAYERS}/code/lib:/workspace"
    assert in_container(image, "ls", LAYERS).split() == ["code", "runtime", "venv"]


def test_a_lockfile_stays_as_it_is_and_the_server_s_packages_join_it(project: Path, attempt: Built) -> None:
    depend(project, "orjson==3.10.18")

    attempt.again()
    docker("pull", "--quiet", attempt.image)

    program = "import greeter, grpc, httptools, modelwright.server, orjson; print(orjson.__version__)"
    assert in_container(attempt.image, "python", "-c", program) == "3.10.18"


def test_a_lockfile_that_the_server_cannot_live_with_is_refused(project: Path, attempt: Built) -> None:
    depend(project, "protobuf==5.29.5")

    message = refused(attempt)

    assert message.startswith("uv.lock and Modelwright's server need different versions of a package]")
    assert "protobuf" in message


def test_a_kserve_that_the_server_cannot_live_with_is_refused_with_the_ways_out(attempt: Built) -> None:
    (attempt.folder / "requirements.txt").write_text("kserve==0.15.2\n")

    message = refused(attempt)

    assert message.startswith("requirements.txt and Modelwright's server need different versions of a package]")
    assert "kserve==0.15.2 depends on protobuf" in message
    assert "Modelwright's server needs numpy" in message
    assert "delete its line" in message
