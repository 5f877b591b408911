"""What of a folder goes into an image or an archive, and what is refused."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from modelwright.images import content
from modelwright.images.deploying import source
from modelwright.images.errors import ImageError


def test_a_link_out_of_the_folder_is_refused_with_its_target(model: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (model / "data").symlink_to("../secret")
    with pytest.raises(ImageError, match=r"my-model/data is a link to \.\./secret, which is outside"):
        list(content.files(model))


def test_links_of_environments_and_inside_the_folder_are_no_matter(model: Path) -> None:
    (model / ".venv" / "bin").mkdir(parents=True)
    (model / ".venv" / "bin" / "python").symlink_to("/usr/bin/python3")
    (model / "also.py").symlink_to("model.py")
    names = [path.name for path in content.files(model, ignored=content.LEFT_OUT)]
    assert names == ["also.py", "model.py", "requirements.txt"]


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_without_a_model_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "index.html").write_text("<p>")
    with pytest.raises(ImageError, match=r"is no folder|holds no model: no Python file, no Procfile"):
        content.check(tmp_path / name)


def test_a_pipe_in_the_folder_is_passed_over(model: Path) -> None:
    os.mkfifo(model / "pipe")
    assert "pipe" not in [path.name for path in content.files(model)]
    content.archive(model)


def test_a_project_toml_that_is_none_is_named(model: Path) -> None:
    (model / "project.toml").write_text("[")
    with pytest.raises(ImageError, match=r"project\.toml is no TOML: .*; correct that line"):
        list(content.files(model))


def test_one_content_is_one_archive(model: Path, tmp_path: Path) -> None:
    first = content.archive(model)
    copied = tmp_path / "copy"
    content.copy(model, copied)
    (copied / "model.py").touch()
    assert content.archive(copied) == first
    (copied / "model.py").write_text("other")
    assert content.archive(copied) != first


def test_an_archive_holds_files_links_and_modes_and_nobodys_name(model: Path) -> None:
    (model / "run.sh").write_text("#!/bin/sh\n")
    (model / "run.sh").chmod(0o700)
    (model / "also.py").symlink_to("model.py")
    (model / "hard.py").hardlink_to(model / "model.py")
    with tarfile.open(fileobj=io.BytesIO(content.archive(model))) as tar:
        found = {each.name: each for each in tar}
        assert tar.extractfile("hard.py").read() == (model / "model.py").read_bytes()
    assert {name: (each.mode, each.uid, each.uname, each.mtime) for name, each in found.items() if each.isfile()} == {
        "hard.py": (0o644, 0, "", 0), "model.py": (0o644, 0, "", 0), "requirements.txt": (0o644, 0, "", 0),
        "run.sh": (0o755, 0, "", 0),
    }  # fmt: skip
    assert found["also.py"].linkname == "model.py"


def test_the_uploaded_source_leaves_weights_behind_unless_asked(model: Path) -> None:
    (model / "big.npz").write_bytes(b"\0" * (1024 * 1024))
    (model / "small.npz").write_bytes(b"\0")

    def names(*, with_weights: bool) -> list[str]:
        with tarfile.open(fileobj=io.BytesIO(source.pack(model, with_weights=with_weights)[0])) as tar:
            return sorted(tar.getnames())

    assert names(with_weights=False) == ["model.py", "requirements.txt", "small.npz"]
    assert "big.npz" in names(with_weights=True)


def test_a_copy_is_readable_by_every_user(model: Path, tmp_path: Path) -> None:
    (model / "model.py").chmod(0o600)
    content.copy(model, tmp_path / "copy")
    assert (tmp_path / "copy" / "model.py").stat().st_mode & 0o777 == 0o644
