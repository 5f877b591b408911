"""`modelwright serve PATH` in each style: what it says, what it serves, and the curl that it logs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.server_process import ROOT

EXAMPLES = ROOT / "runtimes" / "examples"
PATIENCE = 60

CLASSES = """
from kserve import Model

class Doubling(Model):
    def predict(self, payload, headers=None):
        return {"predictions": [2 * value for value in payload["instances"]]}

class Tripling(Model):
    def predict(self, payload, headers=None):
        return {"predictions": [3 * value for value in payload["instances"]]}
"""
LOADER = """
from modelloader.base_model_loader import BaseModelLoader

class EchoModelLoader(BaseModelLoader):
    def __init__(self, config, model_name):
        self.model_obj = None

    def predict_request(self, request):
        return {"said": request["say"]}
"""


class Served:
    """`modelwright serve` with its log."""

    def __init__(self, folder: Path, log: Path, *words: str) -> None:
        self._log = log
        command = [sys.executable, "-m", "modelwright", "serve", *words, "--http_port=0", "--enable_grpc=false"]
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command, cwd=folder, stdout=file, stderr=file,
                env={**os.environ, "PYTHONPATH": f"{ROOT / 'runtimes'}", "PORT": ""},
            )  # fmt: skip

    @property
    def log(self) -> str:
        return self._log.read_text()

    def curl(self) -> list[str]:
        """The command that the log tells, once the server serves."""
        until = time.monotonic() + PATIENCE
        while not (found := re.search(r"serving .* on port", self.log) and re.search(r"try it: (curl .*)", self.log)):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.05)
        return shlex.split(found[1])

    def run(self, command: list[str]) -> object:
        done = subprocess.run([*command, "-sS", "--fail-with-body"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}{self.log}"
        return json.loads(done.stdout)


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    started: list[Served] = []

    def serve(folder: Path, *words: str) -> Served:
        started.append(Served(folder, tmp_path / f"{len(started)}.log", *words))
        return started[-1]

    yield serve
    for each in started:
        each.process.send_signal(signal.SIGTERM)
        assert each.process.wait(PATIENCE) == 0, each.log


def test_a_folder_with_a_procfile(serve: Serve) -> None:
    served = serve(EXAMPLES, "01-iris")
    curl = served.curl()
    assert "modelwright: 01-iris/Procfile has the web line" in served.log
    assert list(served.run(curl)) == ["predictions"]


def test_a_file_that_starts_its_server(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    for name in ("model.py", "weights.npz", "input.json"):
        shutil.copy(EXAMPLES / "01-iris" / name, tmp_path / "code")
    served = serve(tmp_path, "code")
    served.run(served.curl())
    assert "kserve style, since model.py:" in served.log
    assert "model.py starts the server itself" in served.log


def test_kserve_classes_without_an_entry_point(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "classes.py").write_text(CLASSES)
    (tmp_path / "code" / "input.json").write_text('{"instances": [1, 2]}')
    served = serve(tmp_path, "code/classes.py")
    curl = served.curl()
    assert served.run(curl) == {"predictions": [2, 4]}
    assert served.run([word.replace("Doubling", "Tripling") for word in curl]) == {"predictions": [3, 6]}
    one = serve(tmp_path / "code", "classes.py:Tripling", "--model_name", "t")
    assert one.run(one.curl()) == {"predictions": [3, 6]}


def test_an_infosys_folder(serve: Serve) -> None:
    served = serve(EXAMPLES, "09-imil")
    curl = served.curl()
    assert "infosys style, since" in served.log
    assert "--style S chooses another" in served.log
    assert "Fs" in served.run(curl)


def test_a_named_style_and_workers(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(LOADER)
    (tmp_path / "input.json").write_text('{"say": "hi"}')
    served = serve(tmp_path, "code.py:EchoModelLoader", "--style", "infosys", "--workers=2")
    assert served.run(served.curl()) == {"said": "hi"}
    assert "infosys style, as --style says" in served.log


def test_libraries_of_styles_are_there_in_an_entry_point_of_the_author_s(tmp_path: Path) -> None:
    (tmp_path / "entry.py").write_text(
        "import subprocess, sys, modelloader.base_model_loader as m\nprint(m.__name__, flush=True)\n"
        "if len(sys.argv) == 1: subprocess.run([sys.executable, 'entry.py', 'again'], check=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "modelwright", "run", "--", "python", "entry.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'runtimes'}"},
    )  # fmt: skip
    assert done.stdout.split() == ["modelwright.styles.infosys.modelloader.base_model_loader"] * 2, done.stderr


MLSERVER = """
import numpy as np
from mlserver import MLModel
from mlserver.codecs import decode_args

class Sum(MLModel):
    async def load(self) -> bool:
        return True

    @decode_args
    async def predict(self, numbers: np.ndarray) -> np.ndarray:
        return numbers.sum(axis=1)
"""
NOS = """
from nos.common import ModelSpec

class Twice:
    def __call__(self, n: int):
        return 2 * n

spec = ModelSpec.from_cls(Twice)
"""
CURATOR = """
import numpy as np
from nemo_curator.models.base import ModelInterface

class Norm(ModelInterface):
    model_id_names = []

    def setup(self) -> None:
        pass

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        return np.linalg.norm(vectors, axis=1)
"""
VECTORS = '{"inputs": [{"name": "%s", "datatype": "FP32", "shape": [1, 2], "data": [3, 4]}]}'


@pytest.mark.parametrize(
    ("style", "code", "request_", "answer"),
    [
        ("mlserver", MLSERVER, VECTORS % "numbers", [7]),
        ("nos", NOS, '{"inputs": {"n": 4}}', 8),
        ("nemo_curator", CURATOR, VECTORS % "vectors", [5]),
    ],
)
def test_a_file_of_each_other_style(serve: Serve, tmp_path: Path, style: str, code: str, request_: str, answer) -> None:
    (tmp_path / "written.py").write_text(code)
    (tmp_path / "input.json").write_text(request_)
    served = serve(tmp_path, "written.py")
    told = served.run(served.curl())
    assert f"modelwright: {style} style, since written.py" in served.log
    assert (told["predictions"] if "predictions" in told else told["outputs"][0]["data"]) == answer
