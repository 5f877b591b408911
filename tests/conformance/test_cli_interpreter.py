"""`modelwright run -- python ...` runs in the interpreter that is already there, and a model cannot tell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ENTRY_POINT = """
import multiprocessing, os, pickle, sys
import beside

class Kept:
    word = "kept"

def work(pipe):
    import kserve
    pipe.send([__name__, kserve.__name__, Kept.word])

if __name__ == "__main__":
    print("one process:", "modelwright.cli" in sys.modules)
    print("pickled:", pickle.loads(pickle.dumps(Kept())).word, Kept.__module__)
    print("path:", os.path.realpath(sys.path[0]) == os.path.dirname(os.path.realpath(__file__)))
    print("argv:", os.path.basename(sys.argv[0]), sys.argv[1:])
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs,))
    process.start()
    print("spawned:", mine.recv())
    process.join()
"""
EXPECTED = """
one process: True
pickled: kept __main__
path: True
argv: entry.py ['-m', 'x']
spawned: ['__mp_main__', 'modelwright.styles.kserve.twins', 'kept']
"""


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "modelwright", "run", "--", "python", *words],
        capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL, cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "entry.py").write_text(ENTRY_POINT)
    (tmp_path / "code" / "beside.py").touch()
    return tmp_path


def test_a_script_finds_what_it_would_in_an_interpreter_of_its_own(folder: Path) -> None:
    done = run("code/entry.py", "-m", "x", cwd=folder)
    assert done.stdout.strip() == EXPECTED.strip(), done.stderr


def test_so_does_a_module(folder: Path) -> None:
    done = run("-m", "entry", "-m", "x", cwd=folder / "code")
    assert done.stdout.strip() == EXPECTED.strip(), done.stderr


@pytest.mark.parametrize("words", [["-m", "nosuch"], ["-m", "nosuch.model"], ["nosuch.py"]])
def test_what_is_not_there_is_told_in_python_s_own_words(folder: Path, words: list[str]) -> None:
    done = run(*words, cwd=folder)
    genuine = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, cwd=folder)
    assert (done.returncode, done.stderr) == (genuine.returncode, genuine.stderr)


def test_options_of_the_interpreter_start_one_that_has_them(folder: Path) -> None:
    done = run("-X", "utf8", "code/entry.py", cwd=folder)
    assert "one process: False" in done.stdout, done.stderr
