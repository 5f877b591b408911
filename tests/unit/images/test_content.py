"""The hash that decides whether an image has to be built at all."""

from pathlib import Path

import pytest
from modelwright.images import content


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text("x = 1\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_model.py").write_text("assert True\n")
    (tmp_path / "project.toml").write_text('[io.buildpacks]\nexclude = ["/tests", "*.pt", "docs/*.md"]\n')
    return tmp_path


def test_a_change_of_code_changes_it(folder: Path) -> None:
    before = content.digest(folder)

    (folder / "model.py").write_text("x = 2\n")

    assert content.digest(folder) != before


def test_a_renamed_file_changes_it(folder: Path) -> None:
    before = content.digest(folder)

    (folder / "model.py").rename(folder / "other.py")

    assert content.digest(folder) != before


def test_an_executable_bit_changes_it(folder: Path) -> None:
    before = content.digest(folder)

    (folder / "model.py").chmod(0o755)

    assert content.digest(folder) != before


@pytest.mark.parametrize(
    "name", ["tests/test_more.py", "weights.pt", "sub/weights.pt", "docs/index.md", "__pycache__/model.pyc"]
)
def test_what_is_kept_out_of_the_image_does_not(folder: Path, name: str) -> None:
    before = content.digest(folder, ignored=["__pycache__"])

    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("anything")

    assert content.digest(folder, ignored=["__pycache__"]) == before


def test_a_link_to_nowhere_is_hashed_by_where_it_points(folder: Path) -> None:
    (folder / "link").symlink_to("nowhere")

    assert len(content.digest(folder)) == 64
