"""What authors write of environments becomes requirements, or a message that says what to write."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from modelwright import environments
from modelwright.environments import EnvironmentUnusable, conda, from_file, from_packages


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_packages_are_requirements() -> None:
    made = from_packages(["transformers>=4.40", "numpy", "numpy"])
    assert made.requirements == ("transformers>=4.40", "numpy")
    assert made.wanted_python == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_the_digest_is_of_the_content_and_not_of_the_source(tmp_path: Path) -> None:
    listed = from_file(written(tmp_path, "requirements.txt", "# mine\nnumpy\nroman-numerals  # small\n"))
    assert listed.digest == from_packages(["roman-numerals", "numpy"]).digest
    assert listed.digest != from_packages(["numpy"]).digest
    assert listed.digest != from_packages(["roman-numerals", "numpy"], python="3.12").digest


@pytest.mark.parametrize("package", ["", "-r other.txt", "; rm", 3])
def test_a_package_that_is_no_requirement_is_named(package) -> None:
    with pytest.raises(EnvironmentUnusable, match=r"package 1 is .* no requirement"):
        from_packages(["numpy", package])


def test_a_python_that_is_too_old_is_refused_before_anything_is_made() -> None:
    with pytest.raises(EnvironmentUnusable, match=r"python 3\.9 is too old: .*ask for python=3\.11"):
        from_packages(["numpy"], python="3.9")


def test_requirements_files_include_others_and_continue_lines(tmp_path: Path) -> None:
    written(tmp_path, "base.txt", "numpy \\\n  >=1.26\n--extra-index-url https://example.org/simple\n")
    made = from_file(written(tmp_path, "requirements.txt", "-r base.txt\n\nroman-numerals==4.1.0\n"))
    assert made.requirements == (
        "numpy >=1.26",
        "--extra-index-url https://example.org/simple",
        "roman-numerals==4.1.0",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("numpy\n-e .\n", r"requirements\.txt:2: '-e \.' installs from this folder"),
        ("./wheels/mine.whl\n", r"requirements\.txt:1: './wheels/mine\.whl' installs from this folder"),
        ("--target here\n", r"requirements\.txt:1: the option '--target here' is not one"),
        ("-r requirements.txt\n", "includes itself"),
        ("-r gone.txt\n", r"gone\.txt cannot be read"),
        ("numpy \\", "ends in a backslash"),
        ("!numpy\n", "is no requirement"),
        ("--proxy https://me:secret@example.org\n", r"https://\.\.\.@example\.org"),
    ],
)
def test_a_requirements_line_that_cannot_be_had_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(EnvironmentUnusable, match=message) as caught:
        from_file(written(tmp_path, "requirements.txt", text))
    assert "secret" not in str(caught.value)


CONDA = """
name: video_splitting
channels: [conda-forge]
dependencies:
  - python=3.11
  - pip
  - openssl=3.0.2
  - numpy=1.26
  - conda-forge::scipy==1.13.0
  - pytorch>=2.2,<3
  - pillow 10.*
  - requests=2.31.0=pyhd8ed1ab_0
  - msgpack-python[version='>=1']
  - pip:
      - roman-numerals==4.1.0
"""


def test_conda_s_dependencies_are_taken_as_wheels(tmp_path: Path) -> None:
    made = from_file(written(tmp_path, "environment.yaml", CONDA))
    assert (made.name, made.python) == ("video_splitting", "3.11")
    assert made.requirements == (
        "numpy==1.26.*", "scipy==1.13.0", "torch>=2.2,<3", "pillow==10.*", "requests==2.31.0", "msgpack>=1",
        "roman-numerals==4.1.0",
    )  # fmt: skip
    assert any("channels" in note for note in made.notes)
    assert any("openssl" in note for note in made.notes)


@pytest.mark.parametrize(
    ("dependencies", "message"),
    [
        (["cudatoolkit=11.8", "numpy", "r-base"], "cudatoolkit, r-base: there is no wheel of that"),
        (["numpy=1.2|1.3"], "has no 'or'"),
        (["numpy[build='x']"], "only .version="),
        ([3], r"dependencies\[0\]: 3 is no dependency"),
        ([{"pip": "numpy"}], r"dependencies\[0\]: expected 'pip' with a list"),
        ([{"npm": []}], "expected 'pip' with a list"),
        ([{"pip": ["-e ."]}], r"dependencies\[0\]\.pip\[0\]: '-e \.' installs from this folder"),
        (["python=3.8"], r"python 3\.8 is too old"),
    ],
)
def test_a_conda_dependency_that_cannot_be_had_is_named(dependencies: list[object], message: str) -> None:
    with pytest.raises(EnvironmentUnusable, match=message):
        conda.describe({"dependencies": dependencies}, "conda.yaml")


@pytest.mark.parametrize("text", ["- a\n", "name: x\n", "dependencies: numpy\n", "a: [\n"])
def test_a_file_that_is_no_conda_environment_says_what_is_expected(tmp_path: Path, text: str) -> None:
    with pytest.raises(EnvironmentUnusable, match=r"conda\.yaml"):
        from_file(written(tmp_path, "conda.yaml", text))


def test_a_lockfile_needs_its_project(tmp_path: Path) -> None:
    lock = written(tmp_path, "uv.lock", 'version = 1\nrequires-python = ">=3.11"\n')
    with pytest.raises(EnvironmentUnusable, match=r"pyproject\.toml cannot be read: .*keep it beside uv\.lock"):
        from_file(lock)
    written(tmp_path, "pyproject.toml", "[project]\nname = 'x'\nversion = '1'\n")
    before = from_file(lock).digest
    lock.write_text(lock.read_text() + "# more\n")
    assert from_file(lock).digest != before
    lock.write_text("version = ")
    with pytest.raises(EnvironmentUnusable, match="is no TOML"):
        from_file(lock)


def test_a_tarball_that_is_not_there_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentUnusable, match=r"conda-pack -o environment\.tar\.gz"):
        from_file(tmp_path / "environment.tar.gz")
    with pytest.raises(EnvironmentUnusable, match="is named"):
        environments.from_tarball(tmp_path / "environment.zip")


def test_an_environment_is_found_by_conda_s_name_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CONDA_ENVS_PATH", str(tmp_path / "envs"))
    assert environments.named("video_splitting", tmp_path) is None
    (tmp_path / "envs" / "video_splitting" / "bin").mkdir(parents=True)
    by_folder = environments.named("video_splitting", tmp_path)
    assert by_folder is not None
    assert (by_folder.kind.value, by_folder.name) == ("folder", "video_splitting")
    written(tmp_path, "environment.yaml", CONDA)
    by_file = environments.named("video_splitting", tmp_path)
    assert by_file is not None
    assert by_file.python == "3.11"
    (tmp_path / "environments").mkdir()
    beside = environments.named("other", tmp_path)
    assert beside is None
    written(tmp_path / "environments", "other.txt", "numpy\n")
    beside = environments.named("other", tmp_path)
    assert beside is not None
    assert (beside.name, beside.requirements) == ("other", ("numpy",))
