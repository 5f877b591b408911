"""`modelwright init` and `contract` as their users have them: projects that serve and pass, clients that answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.server_process import ROOT, Server

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "runtimes")}


def run(folder: Path, *words: object, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, words)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False, env=ENVIRONMENT
    )


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = Server(tmp_path_factory.mktemp("models"), models="predict_models").wait_until_serving()
    yield f"http://127.0.0.1:{server.port}"
    server.kill()


@pytest.mark.parametrize(
    ("style", "name", "inputs", "outputs"),
    [
        ("kserve", "my-model", ["features FP64 [-1, 3]"], ["output-0 INT64 [-1]"]),
        ("mlserver", "my-model", ["features FP64 [-1, 3]"], ["output-0 INT64 [-1, 1]"]),
        # A plain class: numpy's type hint says neither datatype nor shape.
        ("nos", "my-model", [], []),
        ("nemo_curator", "MyModel", ["features FP64 [-1, 3]"], ["classes INT64 [-1]"]),
        ("infosys", "MyModelModelLoader", ["request BYTES [-1]"], ["response BYTES [-1]"]),
    ],
)
def test_a_new_project_passes_its_own_test_and_tells_its_contract(
    style: str, name: str, inputs: list[str], outputs: list[str], tmp_path: Path
) -> None:
    made = run(tmp_path, "-m", "modelwright", "init", "--style", style, "my-model")
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "my-model"
    tested = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", timeout=200)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    told = run(folder, "-m", "modelwright", "contract", ".")
    assert told.returncode == 0, told.stderr
    (model,) = json.loads(told.stdout)["models"]
    assert model["name"] == name
    for field, expected in (("inputs", inputs), ("outputs", outputs)):
        assert [f"{each['name']} {each['datatype']} {each['shape']}" for each in model[field]] == expected


def test_a_client_is_typed_and_answers(url: str, tmp_path: Path) -> None:
    made = run(tmp_path, "-m", "modelwright", "contract", url, "--client", "client.py", "--openapi", "openapi.json")
    assert made.returncode == 0, made.stderr
    sums = json.loads(made.stdout)["models"][0]
    assert (sums["name"], sums["inputs"]) == ("sums", [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}])
    assert "/v2/models/sums/infer" in json.loads((tmp_path / "openapi.json").read_text())["paths"]
    (tmp_path / "use.py").write_text(
        "import sys\n"
        "from client import Client, ModelError\n"
        "client = Client(sys.argv[1], {'x-tenant': 'blue'})\n"
        "y: list[float] = client.sums(x=[[1, 2, 3, 4], [1, 1, 1, 1]]).y\n"
        "print(y, client.predict('sums', {'instances': [[1]]})['said']['tenant'])\n"
        "try:\n    client.sums(x=[[1.0]])\n"
        "except ModelError as error:\n    print(error.status)\n"
    )
    checked = run(tmp_path, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", tmp_path / "cache", "use.py")
    assert checked.returncode == 0, checked.stdout
    linted = run(tmp_path, "-m", "ruff", "check", "--isolated", "--no-cache", "--line-length=120", "client.py")
    assert linted.returncode == 0, linted.stdout
    used = run(tmp_path, "use.py", url)
    assert used.stdout == "[10.0, 4.0] blue\n400\n", used.stderr


def test_one_model_only_and_what_is_wrong_is_told(url: str, tmp_path: Path) -> None:
    one = run(tmp_path, "-m", "modelwright", "contract", url, "--model", "picture")
    assert [each["name"] for each in json.loads(one.stdout)["models"]] == ["picture"]
    none = run(tmp_path, "-m", "modelwright", "contract", url, "--model", "nobody")
    assert (none.returncode, "there is no model 'nobody'" in none.stderr) == (2, True)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "Procfile").write_text("web: python -m model\n")
    (broken / "model.py").write_text("raise RuntimeError('no weights here')\n")
    failed = run(tmp_path, "-m", "modelwright", "contract", "broken")
    assert failed.returncode == 2
    assert "broken did not start; what it said:" in failed.stderr
    assert "no weights here" in failed.stderr
