"""`modelwright run` starts any command with the hook in every Python of it; `serve module:Class` one class."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

WHICH = "import kserve, sys; print(kserve.__name__, sys.argv[1:])"
TWIN = "modelwright.styles.kserve.twins"


def modelwright(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "modelwright", *arguments],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL, cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(WHICH)
    return tmp_path


@pytest.mark.parametrize("command", [["python", "-m", "model"], ["python", "model.py"], [sys.executable, "model.py"]])
def test_an_entry_point_runs_unchanged_with_the_twin(folder: Path, command: list[str]) -> None:
    done = modelwright("run", "--", *command, "--workers", "2", cwd=folder)
    assert done.stdout.strip() == f"{TWIN} ['--workers', '2']", done.stderr


def test_the_processes_that_an_entry_point_starts_have_the_twin_too(folder: Path) -> None:
    (folder / "parent.py").write_text("import subprocess, sys; subprocess.run([sys.executable, '-m', 'model'])")
    assert modelwright("run", "--", "python", "parent.py", cwd=folder).stdout.startswith(TWIN)


def test_a_sitecustomize_that_was_there_still_runs(folder: Path) -> None:
    (folder / "sitecustomize.py").write_text("print('mine too')")
    search = os.pathsep.join([str(folder), *sys.path])
    done = modelwright("run", "--", "python", "model.py", cwd=folder, PYTHONPATH=search)
    assert done.stdout.splitlines()[-2:] == ["mine too", f"{TWIN} []"], done.stderr


def test_the_switch_starts_the_genuine_one(folder: Path) -> None:
    pytest.importorskip("kserve")
    done = modelwright("run", "--", "python", "model.py", cwd=folder, MODELWRIGHT_KSERVE="genuine")
    assert done.stdout.strip() == "kserve []", done.stderr


def test_the_command_s_exit_status_is_passed_on(folder: Path) -> None:
    (folder / "exits.py").write_text("raise SystemExit(7)")
    assert modelwright("run", "--", "python", "exits.py", cwd=folder).returncode == 7


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name the command to run"),
        (["--", "nosuchprogram"], "'nosuchprogram', named by the command line, is not on PATH: install it"),
        (["--", "./model.py"], "'./model.py', named by the command line, is not executable"),
    ],
)
def test_a_command_that_cannot_start_says_why(folder: Path, words: list[str], message: str) -> None:
    done = modelwright("run", *words, cwd=folder)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere:Model", "there is no module 'nowhere' here"),
        ("plain:Nothing", "module 'plain' has no class 'Nothing'"),
    ],
)
def test_a_class_that_is_not_there_is_named(folder: Path, target: str, message: str) -> None:
    (folder / "plain.py").write_text("")
    done = modelwright("serve", target, cwd=folder)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr


CLASS = """
from kserve import Model

class Doubling(Model):
    def predict(self, payload, headers=None):
        return {"predictions": [2 * value for value in payload["instances"]]}
"""


def test_a_class_is_served_without_an_entry_point(folder: Path) -> None:
    (folder / "plain.py").write_text(CLASS)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    arguments = ["serve", "plain:Doubling", "--model_name", "d", "--enable_grpc", "false"]
    with subprocess.Popen(
        [sys.executable, "-m", "modelwright", *arguments], cwd=folder, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PORT": str(port)},
    ) as process:  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}/v1/models/d:predict"
            for _ in range(200):
                try:
                    with urllib.request.urlopen(url, b'{"instances": [1, 2]}', timeout=5) as answer:
                        assert answer.read() == b'{"predictions":[2,4]}'
                    break
                except OSError:
                    assert process.poll() is None, process.stderr.read() if process.stderr else ""
                    time.sleep(0.1)
            else:
                pytest.fail("the server did not answer")
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
