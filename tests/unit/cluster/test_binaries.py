"""The builder against the real Go toolchain, with a module that compiles in a second."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from cluster import binaries
from cluster.tools import Tool

HELLO = Tool("hello", "hello", "example.test/hello", "example.test/dependency", 1, ("main.version={v}",))
MAIN = 'package main\n\nvar version = "none"\n\nfunc main() { print(version) }\n'


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module whose only main prints the version that was stamped into it."""
    dependency = tmp_path / "dependency"
    dependency.mkdir()
    (dependency / "go.mod").write_text("module example.test/dependency\n\ngo 1.21\n")
    folder = tmp_path / "modules" / "hello"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text(
        "module example.test/hello\n\ngo 1.21\n\nrequire example.test/dependency v1.2.3\n\n"
        f"replace example.test/dependency => {dependency}\n"
    )
    (folder / "go.sum").write_text("")
    (folder / "main.go").write_text(MAIN)
    monkeypatch.setenv("MODELWRIGHT_CACHE", str(tmp_path / "cache"))
    for name in ("cluster.tools.modules_folder", "cluster.binaries.modules_folder"):
        monkeypatch.setattr(name, lambda: tmp_path / "modules")
    for name in ("cluster.tools.TOOLS", "cluster.binaries.TOOLS"):
        monkeypatch.setattr(name, (HELLO,))
    return folder


def output(folder: Path) -> str:
    return subprocess.run([folder / "hello"], capture_output=True, text=True, check=True).stderr


def test_a_missing_tool_is_built_with_its_version_and_said_so(module: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = binaries.ensure("hello")
    assert output(folder) == "v1.2.3"
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("[1/1] hello  0s")
    assert lines[-1].startswith("[1/1] hello v1.2.3 built in ")


def test_a_second_time_nothing_is_built_and_nothing_said(
    module: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = binaries.ensure("hello")
    built = (first / "hello").stat()
    capsys.readouterr()
    monkeypatch.setenv("PATH", "/nonexistent")  # a build would need go
    assert binaries.ensure("hello") == first
    assert (first / "hello").stat() == built
    assert capsys.readouterr().err == ""


def test_a_new_version_is_built_beside_the_old_one(module: Path) -> None:
    old = binaries.ensure("hello")
    text = (module / "go.mod").read_text()
    (module / "go.mod").write_text(text.replace("v1.2.3", "v1.3.0"))
    new = binaries.ensure("hello")
    assert (output(old), output(new)) == ("v1.2.3", "v1.3.0")


def test_a_failing_build_shows_the_compilers_words_and_names_the_log(module: Path) -> None:
    (module / "main.go").write_text("package main\n\nfunc main() { undefinedName() }\n")
    with pytest.raises(
        binaries.BuildError, match=r"(?s)hello v1\.2\.3 did not build.*undefined: undefinedName"
    ) as error:
        binaries.ensure("hello")
    log = Path(str(error.value).split("the whole log is ")[1].split(", its end")[0])
    assert "undefinedName" in log.read_text()
    (module / "main.go").write_text(MAIN)
    assert output(binaries.ensure("hello")) == "v1.2.3"


def test_callers_at_the_same_time_build_once(module: Path, capsys: pytest.CaptureFixture[str]) -> None:
    threads = [threading.Thread(target=binaries.ensure, args=("hello",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert capsys.readouterr().err.count("built in") == 1
    assert output(binaries.folder()) == "v1.2.3"
