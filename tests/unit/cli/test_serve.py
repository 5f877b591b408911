"""`modelwright serve` runs the folder's own process, or says what is missing and how to mend it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PRINT = "import os, sys; print(os.getcwd()); print(sys.argv[1:])"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(PRINT)
    (tmp_path / "Procfile").write_text("# comment\n\nweb: python -m model --named '${NAME} b'\n")
    return tmp_path


def serve(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "modelwright", "serve", *arguments],
        capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )  # fmt: skip


def test_the_web_process_runs_in_its_folder_with_the_arguments_passed_on(folder: Path) -> None:
    done = serve(str(folder), "--workers", "2", NAME="a", PORT="")
    assert done.stdout.splitlines() == [str(folder), "['--named', 'a b', '--workers', '2']"], done.stderr


def test_port_becomes_the_http_port_unless_the_author_chose_one(folder: Path) -> None:
    assert "'--http_port=9000']" in serve(str(folder), NAME="a", PORT="9000").stdout
    assert "9000" not in serve(str(folder), "--http_port", "9001", NAME="a", PORT="9000").stdout


def test_the_folder_comes_before_other_modules_of_that_name(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.py").write_text("print('the wrong one')")
    search = os.pathsep.join([*sys.path, str(other)])
    assert "wrong" not in serve(str(folder), NAME="a", PORT="", PYTHONPATH=search).stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "or write a Procfile with the line 'web: python -m model'"),
        ("worker: python -m model\n", "or write a Procfile with the line 'web: python -m model'"),
        ("web python -m model\n", "Procfile:1: 'web python -m model' is not 'type: command'"),
        ("web: nosuchprogram\n", "'nosuchprogram', named by the Procfile, is not on PATH: install it"),
    ],
)
def test_a_folder_that_cannot_be_served_says_why(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "Procfile").write_text(text)
    done = serve(str(tmp_path))
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    done = serve(str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "nowhere is not a folder" in done.stderr
