"""Folders that cannot become an image: what their authors read."""

from __future__ import annotations

from pathlib import Path

import pytest
from modelwright.images.errors import ImageError

from tests.e2e.images import Built, refused

pytestmark = pytest.mark.usefixtures("cluster")


def test_no_requirements_is_refused_with_the_file_to_write(attempt: Built) -> None:
    (attempt.folder / "requirements.txt").unlink()

    assert "Write a requirements.txt beside the code" in refused(attempt)


def test_an_unknown_package_is_named(attempt: Built) -> None:
    (attempt.folder / "requirements.txt").write_text("iniconfig==0.0.77\n")

    message = refused(attempt)

    assert message.startswith("requirements.txt asks for a version that does not exist]")
    assert "iniconfig==0.0.77" in message
    assert "Check the version" in message


def test_a_python_that_the_base_image_lacks_is_refused_with_what_it_has(attempt: Built) -> None:
    (attempt.folder / "runtime.txt").write_text("python-3.7\n")

    message = refused(attempt)

    assert message.startswith("Python 3.7, asked for by runtime.txt, is not available]")
    assert "has Python 3.11.2" in message


def test_two_files_that_ask_for_different_pythons_are_both_named(attempt: Built) -> None:
    (attempt.folder / "runtime.txt").write_text("python-3.11\n")
    (attempt.folder / ".python-version").write_text("3.12\n")

    assert "runtime.txt says 3.11, .python-version says 3.12" in refused(attempt)


def test_a_procfile_without_web_is_refused_before_anything_is_installed(attempt: Built) -> None:
    (attempt.folder / "Procfile").write_text("worker: python -m model\n")

    assert "add a line such as `web: python -m model`" in refused(attempt)
    assert "[Dependencies]" not in attempt.log.read_text()


def test_a_lockfile_out_of_step_is_refused(project: Path, attempt: Built) -> None:
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("iniconfig==2.1.0", "iniconfig==2.0.0"))

    assert (
        "uv.lock is out of step with pyproject.toml]\nA change of pyproject.toml was not locked. Run `uv lock`"
        in refused(attempt)
    )


def test_a_folder_that_is_not_python_is_not_ours(attempt: Built) -> None:
    for path in attempt.folder.iterdir():
        path.unlink()
    (attempt.folder / "index.js").touch()
    (attempt.folder / "Procfile").write_text("web: node index.js\n")

    with pytest.raises(ImageError):
        attempt.again()
    assert "No buildpack groups passed detection" in attempt.log.read_text()
