"""`modelwright serve --reload`: new methods on the living model, or a new process; never a file that does not parse."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.server_process import ROOT

PATIENCE = 90

# Each answers [loads so far in this process, identity of the weights, what predict adds] in its style.
HEAD = """
import os
import numpy as np

LOADS = []

def loaded():
    LOADS.append(1)
    return np.arange(3.0)

def shown(weights, said):
    return [float(os.getpid()), float(len(LOADS)), float(id(weights) % 2**40), float(said)]
"""
KSERVE = """
from kserve import Model, ModelServer

class Served(Model):
    def __init__(self, name):
        super().__init__(name)
        self.load()

    def load(self):
        self.weights = loaded()
        self.ready = True

    def predict(self, payload, headers=None):
        return {"predictions": shown(self.weights, 1)}

if __name__ == "__main__":
    ModelServer().start([Served("Served")])
"""
MLSERVER = """
from mlserver import MLModel
from mlserver.codecs import decode_args

class Served(MLModel):
    async def load(self) -> bool:
        self.weights = loaded()
        return True

    @decode_args
    async def predict(self, x: np.ndarray) -> np.ndarray:
        return np.array(shown(self.weights, 1))
"""
NOS = """
from nos.common import ModelSpec

class Served:
    def __init__(self):
        self.weights = loaded()

    def __call__(self, x: float):
        return shown(self.weights, 1)

spec = ModelSpec.from_cls(Served)
"""
CURATOR = """
from nemo_curator.models.base import ModelInterface

class Served(ModelInterface):
    model_id_names = []

    def setup(self) -> None:
        self.weights = loaded()

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.array(shown(self.weights, 1))
"""
INFOSYS = """
from modelloader.base_model_loader import BaseModelLoader

class ServedModelLoader(BaseModelLoader):
    def __init__(self, config, model_name):
        self.weights = loaded()

    def predict_request(self, request):
        return {"predictions": shown(self.weights, 1)}
"""
STYLES = {"kserve": KSERVE, "mlserver": MLSERVER, "nos": NOS, "nemo_curator": CURATOR, "infosys": INFOSYS}


class Reloading:
    """`modelwright serve --reload` with its log."""

    def __init__(self, folder: Path, log: Path, *words: str) -> None:
        self._log = log
        self.code = folder / "model.py"
        command = [sys.executable, "-m", "modelwright", "serve", str(folder), "--reload"]
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [*command, "--http_port=0", "--enable_grpc=false", *words], stdout=file, stderr=file,
                env={**os.environ, "PYTHONPATH": f"{ROOT / 'runtimes'}", "PORT": ""},
            )  # fmt: skip

    @property
    def log(self) -> str:
        return self._log.read_text()

    def wait(self, pattern: str, count: int = 1) -> str:
        """Wait until the log has `count` lines of a pattern; give the last one's group."""
        until = time.monotonic() + PATIENCE
        while len(found := re.findall(pattern, self.log)) < count:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, f"{pattern}: {self.log}"
            time.sleep(0.05)
        return str(found[-1])

    def ask(self, starts: int = 1) -> list[float]:
        port = int(self.wait(r"serving \S+ on port (\d+)", starts))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        name = "ServedModelLoader" if "ModelLoader" in self.code.read_text() else "Served"
        connection.request("POST", f"/v1/models/{name}:predict", '{"instances": [{"x": 1.0}]}')
        reply = connection.getresponse()
        document = json.loads(reply.read())
        connection.close()
        assert reply.status == 200, (document, self.log)
        found = document["predictions"]
        while isinstance(found[0], list | dict):
            found = found[0]["predictions"] if isinstance(found[0], dict) else found[0]
        return found

    def rewrite(self, old: str, new: str) -> None:
        """Replace text as an editor does: the file is never seen half written."""
        text = self.code.read_text()
        assert old in text
        swap = self.code.with_suffix(".swap")
        swap.write_text(text.replace(old, new))
        swap.replace(self.code)


Start = Callable[..., Reloading]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Reloading] = []

    def start(code: str, *words: str, name: str = "code") -> Reloading:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "model.py").write_text(HEAD + code)
        started.append(Reloading(folder, tmp_path / f"{name}.log", *words))
        return started[-1]

    yield start
    for each in started:
        each.process.send_signal(signal.SIGTERM)
        assert each.process.wait(PATIENCE) == 0, each.log


@pytest.mark.parametrize("style", STYLES)
def test_a_method_is_taken_over_with_the_weights_kept(start: Start, style: str) -> None:
    running = start(STYLES[style])
    before = running.ask()
    assert before[1] == 1
    # Lines above move what is below them, and a helper method is new.
    running.rewrite("shown(self.weights, 1)", "shown(\n            self.weights, self._said()\n        )")
    running.rewrite("class Served", "# a comment\nclass Served")
    method = "\n    def _said(self):\n        return 2\n"
    if style == "nos":
        running.rewrite("\nspec =", f"{method}\nspec =")
    elif style == "kserve":
        running.rewrite("\nif __name__", f"{method}\nif __name__")
    else:
        running.rewrite("self.weights, self._said()\n", "self.weights, self._said()\n")
        with running.code.open("a") as code:
            code.write(method)
    running.wait(r"taken over, with all that is loaded kept: .*_said")
    after = running.ask()
    assert after[:3] == before[:3]
    assert after[3] == 2


@pytest.mark.parametrize("style", STYLES)
def test_what_loads_starts_the_server_anew(start: Start, style: str) -> None:
    running = start(STYLES[style])
    before = running.ask()
    running.rewrite("np.arange(3.0)", "np.arange(4.0)")
    assert "model.py: loaded, which is used where the model is loaded" in running.wait("starting the server anew: (.*)")
    after = running.ask(starts=2)
    assert after[0] != before[0]
    assert after[1] == 1


def test_what_does_not_parse_changes_nothing_and_requests_in_flight_finish(start: Start, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    waiting = f"""
        import time
        open({str(tmp_path / "entered")!r}, "w").close()
        while not os.path.exists({str(gate)!r}):
            time.sleep(0.02)
        return"""
    running = start(KSERVE.replace("        return {", f"{waiting} {{"))
    answers: list[list[float]] = []
    asking = threading.Thread(target=lambda: answers.append(running.ask()))
    asking.start()
    until = time.monotonic() + PATIENCE
    while not (tmp_path / "entered").exists():
        assert time.monotonic() < until, running.log
        time.sleep(0.02)
    running.rewrite("shown(self.weights, 1)", "shown(self.weights, 1")
    assert running.wait(r"modelwright: (model.py:\d+: .*)").endswith("what was there before goes on serving")
    running.rewrite("shown(self.weights, 1", "shown(self.weights, 5)")
    running.wait("taken over, with all that is loaded kept: Served.predict")
    # A restart while one request is still in work, begun before either change.
    running.rewrite("LOADS = []", "LOADS = [1]")
    assert "model.py:5: module-level code changed" in running.wait("starting the server anew: (.*)")
    gate.touch()
    asking.join(PATIENCE)
    assert answers[0][1:] == [1, answers[0][2], 1], running.log
    assert running.ask(starts=2)[1:2] == [2]


def test_a_server_that_does_not_start_waits_for_the_next_change(start: Start) -> None:
    running = start(MLSERVER)
    running.ask()
    running.rewrite("return np.arange(3.0)", "raise RuntimeError('no weights')")
    running.wait("the server ended with exit status 1; it starts anew when a file changes")
    running.rewrite("raise RuntimeError('no weights')", "return np.arange(3.0)")
    assert running.ask(starts=2)[3] == 1


def test_settings_start_anew_and_files_that_nobody_imported_do_not(start: Start) -> None:
    running = start(MLSERVER)
    before = running.ask()
    (running.code.parent / "unused.py").write_text("import nowhere\n")
    running.rewrite("shown(self.weights, 1)", "shown(self.weights, 3)")
    running.wait("taken over, with all that is loaded kept: Served.predict")
    assert running.ask() == [*before[:3], 3]
    (running.code.parent / "model-settings.json").write_text('{"name": "Served", "implementation": "model.Served"}')
    assert running.wait("starting the server anew: (.*)") == "model-settings.json changed"
    assert running.ask(starts=2)[3] == 3


def test_several_workers_start_anew_for_every_change(start: Start) -> None:
    running = start(KSERVE, "--workers=2")
    running.wait(r"serving \S+ on port (\d+)", 2)
    running.rewrite("shown(self.weights, 1)", "shown(self.weights, 4)")
    assert running.wait("starting the server anew: (.*)") == "model.py changed, and it has 2 workers"
    assert running.ask(starts=4)[3] == 4


def test_super_private_names_and_imported_functions_are_the_new_ones(start: Start, tmp_path: Path) -> None:
    code = KSERVE.replace(
        "class Served(Model):",
        "from helpers import scaled\n\n"
        "class Base(Model):\n    def said(self):\n        return 1\n\n"
        "class Served(Base):",
    ).replace("shown(self.weights, 1)", "shown(self.weights, scaled(self.said()))")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "helpers.py").write_text("def scaled(x):\n    return 10 * x\n")
    (tmp_path / "code" / "model.py").write_text(HEAD + code)
    running = Reloading(tmp_path / "code", tmp_path / "log")
    try:
        before = running.ask()
        assert before[3] == 10
        method = (
            "    def __more(self):\n        return super().said() + 1\n\n"
            "    def said(self):\n        return self.__more()\n"
        )
        running.rewrite("\nif __name__", f"\n{method}\nif __name__")
        running.wait("taken over, with all that is loaded kept: Served.__more, Served.said")
        assert running.ask() == [*before[:3], 20]
        (tmp_path / "code" / "helpers.py").write_text("def scaled(x):\n    return 100 * x\n")
        running.wait("taken over, with all that is loaded kept: scaled")
        assert running.ask() == [*before[:3], 200]
    finally:
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(PATIENCE) == 0, running.log
