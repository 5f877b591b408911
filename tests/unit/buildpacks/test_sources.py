"""Where dependencies come from, and what counts as a change of them."""

from pathlib import Path

import pytest

from buildpacks.python.buildpack import sources
from buildpacks.python.buildpack.context import Context
from buildpacks.python.buildpack.errors import BuildpackError
from buildpacks.python.buildpack.project import Project


def find(folder: Path, **environment: str) -> sources.Source:
    context = Context(folder, folder / "layers", folder / "buildpack", environment)
    return sources.find(context, Project.read(context))


def write(folder: Path, **files: str) -> None:
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content)


def test_nothing_that_names_packages_is_an_error_with_the_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(BuildpackError, match=r"Write a requirements\.txt"):
        find(tmp_path)


def test_a_project_without_dependencies_or_lockfile_is_a_source_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml="[project]\nname = 'm'\n")

    assert find(tmp_path).files == ("pyproject.toml",)


def test_a_pyproject_that_only_configures_tools_names_no_packages(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml="[tool.ruff]\n")

    with pytest.raises(BuildpackError, match="nothing says which packages"):
        find(tmp_path)


def test_the_lockfile_wins_and_carries_the_extras(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml="[project]\nname = 'm'\n", uv_lock="version = 1\n", requirements_txt="numpy\n")

    source = find(tmp_path, BP_UV_EXTRAS="server, operator,server")

    assert (source.name, source.extras) == ("uv.lock", ("operator", "server"))


def test_a_broken_pyproject_is_named(tmp_path: Path) -> None:
    write(tmp_path, pyproject_toml="[project\n")

    with pytest.raises(BuildpackError, match=r"pyproject\.toml cannot be read"):
        find(tmp_path)


def test_a_change_in_an_included_file_changes_the_digest(tmp_path: Path) -> None:
    write(tmp_path, requirements_txt="-r base.txt\n", base_txt="numpy==1\n")
    before = find(tmp_path).digest

    write(tmp_path, base_txt="numpy==2\n")

    assert find(tmp_path).digest != before


def test_files_that_include_each_other_are_read_once(tmp_path: Path) -> None:
    write(tmp_path, requirements_txt="-r base.txt\n", base_txt="-r requirements.txt\n")

    assert find(tmp_path).local is False


@pytest.mark.parametrize("included", ["missing.txt", "../outside.txt"])
def test_an_include_that_is_not_in_the_folder_is_refused(tmp_path: Path, included: str) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    write(tmp_path, outside_txt="numpy\n")
    write(folder, requirements_txt=f"-r {included}\n")

    with pytest.raises(BuildpackError, match=r"requirements\.txt includes"):
        find(folder)


@pytest.mark.parametrize("line", ["-e .", ".", "./lib", "mine @ file:///workspace/mine"])
def test_code_of_the_folder_itself_is_noticed(tmp_path: Path, line: str) -> None:
    write(tmp_path, requirements_txt=f"numpy\n{line}\n")

    assert find(tmp_path).local is True


@pytest.mark.parametrize(
    ("content", "installable"),
    [
        ("[project]\nname = 'm'\n[build-system]\nrequires = []\n", True),
        ("[project]\nname = 'm'\n", False),
        ("[project]\nname = 'm'\n[build-system]\nrequires = []\n[tool.uv]\npackage = false\n", False),
        ("[tool.ruff]\n", False),
    ],
)
def test_a_project_is_installed_only_where_it_is_a_package(tmp_path: Path, content: str, installable: bool) -> None:
    write(tmp_path, pyproject_toml=content)

    assert Project.read(Context(tmp_path, tmp_path, tmp_path, {})).installable is installable
