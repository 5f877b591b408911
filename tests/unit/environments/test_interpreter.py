"""An environment is checked before anything of it is imported: platform, version, numpy."""

from __future__ import annotations

import io
import os
import platform
import sys
import tarfile
from pathlib import Path

import pytest
from modelwright.environments import EnvironmentUnusable, interpreter, tarball, uv


def program(folder: Path, content: bytes, mode: int = 0o755) -> Path:
    (folder / "bin").mkdir(parents=True)
    path = folder / "bin" / "python"
    path.write_bytes(content)
    path.chmod(mode)
    return folder


def answering(version: str, *, numpy: bool = True, implementation: str = "CPython") -> bytes:
    told = f'{{"version": [{version}], "implementation": "{implementation}", "numpy": {str(numpy).lower()}}}'
    return f"#!/bin/sh\necho '{told}'\n".encode()


def test_an_interpreter_says_its_version(tmp_path: Path) -> None:
    found = interpreter.check(program(tmp_path / "e", answering("3, 12, 1")), "here")
    assert (found.program.name, found.version) == ("python", (3, 12, 1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (answering("3, 9, 18"), r"CPython 3\.9\.18; Modelwright runs models in CPython 3\.11 or newer"),
        (answering("3, 11, 0", implementation="PyPy"), "has PyPy"),
        (answering("3, 11, 0", numpy=False), "has no numpy.*add numpy to it"),
        (b"#!/bin/sh\necho broken >&2; exit 3\n", "does not run here: broken"),
        (b"#!/nowhere/python\n", "does not run here: .*No such file"),
        (b"\xcf\xfa\xed\xfe" + bytes(40), "was made for macOS, and this machine is Linux"),
        (b"MZ" + bytes(40), "was made for Windows"),
        (b"\x7fELF\x02\x01" + bytes(12) + b"\x16\x00" + bytes(40), "was made for Linux s390x"),
    ],
)
def test_what_cannot_run_here_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(EnvironmentUnusable, match=f"^here: .*{message}"):
        interpreter.check(program(tmp_path / "e", content), "here")


def test_a_folder_without_an_interpreter_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentUnusable, match="bin/python is missing"):
        interpreter.check(tmp_path, "here")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/nowhere/python")
    with pytest.raises(EnvironmentUnusable, match="bin/python is a broken link"):
        interpreter.check(tmp_path, "here")
    (tmp_path / "Scripts").mkdir()
    (tmp_path / "Scripts" / "python.exe").touch()
    with pytest.raises(EnvironmentUnusable, match="made on Windows"):
        interpreter.check(tmp_path, "here")


def test_this_machine_s_own_program_is_for_it() -> None:
    assert interpreter.platform_of(Path(sys.executable).resolve()) == f"Linux {platform.machine()}"


def packed(path: Path, files: dict[str, bytes | tuple[str, str]]) -> Path:
    """A tarball; a tuple is a link and its target."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.mode = 0o755
            if isinstance(content, tuple):
                member.type, member.linkname = tarfile.SYMTYPE, content[1]
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


def test_a_conda_pack_is_unpacked_with_its_interpreter_and_finished(tmp_path: Path) -> None:
    script = b'#!/bin/sh\necho "$1" > "$(dirname "$0")/../finished"\n'
    made = packed(
        tmp_path / "e.tar.gz",
        {"bin/python3.11": script, "bin/python": ("link", "python3.11"), "bin/conda-unpack": b"", "lib/x": b"1"},
    )
    tarball.unpack(made, tmp_path / "e", "here")
    tarball.finish(tmp_path / "e", "here")
    assert (tmp_path / "e" / "finished").read_text().strip().endswith("bin/conda-unpack")
    assert os.access(tmp_path / "e" / "bin" / "python3.11", os.X_OK)


def test_a_virtual_environment_gets_an_interpreter_of_its_version_that_is_here(tmp_path: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    settings = f"home = /their/bin\nversion_info = {version}.1\nexecutable = /their/bin/python\n".encode()
    files = {"env/bin/python": ("link", "/their/bin/python"), "env/pyvenv.cfg": settings, "env/lib/x": b""}
    tarball.unpack(packed(tmp_path / "e.tar.gz", files), tmp_path / "e", "here")
    assert (tmp_path / "e" / "bin" / "python").exists()
    assert "/their" not in (tmp_path / "e" / "pyvenv.cfg").read_text()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../out": b""}, r"the member '\.\./out'"),
        ({"/etc/out": b""}, "is an absolute path"),
        ({"bin/python": ("link", "/usr/bin/python3"), "lib/x": b""}, "neither bin/python nor a pyvenv.cfg"),
        ({"lib/out": ("link", "/etc")}, "outside of the archive"),
        ({"pyvenv.cfg": b"version = 3.8.1\n", "bin/x": b""}, r"python 3\.8 is too old"),
    ],
)
def test_a_tarball_that_is_not_to_be_trusted_or_used_is_refused(tmp_path: Path, files, message: str) -> None:
    with pytest.raises(EnvironmentUnusable, match=message):
        tarball.unpack(packed(tmp_path / "e.tar.gz", files), tmp_path / "e", "here")


def test_a_damaged_tarball_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e.tar.gz").write_bytes(b"no tarball")
    with pytest.raises(EnvironmentUnusable, match="cannot be unpacked"):
        tarball.unpack(tmp_path / "e.tar.gz", tmp_path / "e", "here")


def test_without_uv_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setitem(sys.modules, "uv", None)
    with pytest.raises(EnvironmentUnusable, match="pip install uv, or name a packed environment"):
        uv.find()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            "  x No solution found\n  Because numbpy was not found in the package registry and you",
            "numbpy: there is no",
        ),
        ("No solution found when resolving:\n Because a==1 depends on b<2 and", "cannot be had together: Because a==1"),
        ("error: No interpreter found for Python 3.44 in search path", "no Python that fits is here"),
        ("error sending request for url (https://index.example)", "cannot be reached"),
        ("The lockfile at `uv.lock` needs to be updated", "run uv lock"),
        ("something else", "could not make the environment: something else"),
    ],
)
def test_what_uv_says_becomes_what_to_do(output: str, message: str) -> None:
    assert message in uv.explain("requirements.txt", output)
