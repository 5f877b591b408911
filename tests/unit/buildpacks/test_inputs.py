"""Every file that a folder may say its packages, its Python and its start in."""

from __future__ import annotations

import sys

import pytest

from tests.unit.buildpacks.staged import PYTHON, Folder

MINOR = f"3.{sys.version_info.minor}"
OTHER = f"3.{sys.version_info.minor - 1}"
CONDA = (
    "name: m\nchannels: [conda-forge]\ndependencies:\n  - python={python}\n  - small=1\n  - pip:\n    - nvidia-ml-py\n"
)


def installed(folder: Folder) -> set[str]:
    phase = folder.build()
    assert phase.status == 0, (phase.log, phase.error)
    return {line.strip(" +") for line in phase.log if line.startswith("   + ")}


@pytest.mark.parametrize(
    "name",
    ["requirements.txt", "pyproject.toml", "uv.lock", "runtime.txt", ".python-version", "environment.yaml",
     "conda.yaml", "model-settings.json", "serve.yaml", "model.py"],
)  # fmt: skip
def test_a_folder_with_any_of_these_is_ours(folder: Folder, name: str) -> None:
    folder.write(name)

    assert folder.detect().status == 0


def test_a_folder_without_any_is_left_to_other_buildpacks(folder: Folder) -> None:
    folder.write("index.html", "<p>")

    assert folder.detect().status == 100


@pytest.mark.parametrize("name", ["environment.yaml", "environment.yml", "conda.yaml", "conda.yml"])
def test_a_conda_file_s_packages_come_as_wheels(mlserver_folder: Folder, name: str) -> None:
    (mlserver_folder.app / "requirements.txt").unlink()
    mlserver_folder.write(name, CONDA.format(python=MINOR))

    assert installed(mlserver_folder) == {"small==1.0", "served==1.0", "nvidia-ml-py==13.0"}


def test_the_log_says_how_a_conda_file_was_read_and_which_python_it_asked_for(mlserver_folder: Folder) -> None:
    (mlserver_folder.app / "requirements.txt").unlink()
    mlserver_folder.write("conda.yaml", CONDA.format(python=MINOR))

    log = mlserver_folder.build().log

    assert f"Using Python PYTHON of the base image: conda.yaml asks for {MINOR}" in log
    assert "conda.yaml: conda's packages taken from the Python package index: small" in log


def test_a_conda_file_and_requirements_are_one_environment(mlserver_folder: Folder) -> None:
    mlserver_folder.write("requirements.txt", "nvidia-cublas\n")
    mlserver_folder.write("conda.yaml", CONDA.format(python=MINOR))

    assert installed(mlserver_folder) == {"small==1.0", "served==1.0", "nvidia-ml-py==13.0", "nvidia-cublas==13.0"}


def test_a_conda_file_that_is_one_model_s_own_environment_is_not_the_image_s(mlserver_folder: Folder) -> None:
    mlserver_folder.write("environment.yaml", CONDA.format(python=MINOR))
    mlserver_folder.write(
        "model-settings.json",
        '{"name": "sum", "implementation": "m.M", "parameters": {"environment_path": "./environment.yaml"}}',
    )

    assert installed(mlserver_folder) == {"small==1.0", "served==1.0"}


def test_conda_packages_without_a_wheel_are_named(mlserver_folder: Folder) -> None:
    mlserver_folder.write("environment.yaml", "dependencies: [numpy, cudatoolkit=11.8, r-base]\n")

    error = mlserver_folder.refused()

    assert error.startswith("[Error: The conda file cannot be installed from]\nenvironment.yaml: dependencies: ")
    assert "cudatoolkit, r-base: there is no wheel of that" in error


def test_a_project_alone_is_installed_with_a_word_about_locking(procfile_folder: Folder) -> None:
    (procfile_folder.app / "requirements.txt").unlink()
    procfile_folder.write(
        "pyproject.toml",
        '[project]\nname = "m"\nversion = "1.2"\ndependencies = ["small==1.0"]\n'
        '[project.optional-dependencies]\ngpu = ["nvidia-ml-py"]\n',
    )
    procfile_folder.variables["BP_UV_EXTRAS"] = "gpu"

    phase = procfile_folder.build()

    assert "pyproject.toml without uv.lock: a later build may take newer releases; `uv lock` fixes them" in phase.log
    assert "   + nvidia-ml-py==13.0" in phase.log
    assert procfile_folder.labels()["org.opencontainers.image.version"] == "1.2"


def test_a_change_of_the_project_s_other_tables_installs_nothing(procfile_folder: Folder) -> None:
    (procfile_folder.app / "requirements.txt").unlink()
    project = '[project]\nname = "m"\nversion = "1.2"\ndependencies = ["small==1.0"]\n'
    procfile_folder.write("pyproject.toml", project)
    procfile_folder.build()
    procfile_folder.write("pyproject.toml", project.replace("1.2", "1.3") + "[tool.ruff]\nline-length = 100\n")

    assert (
        "Reusing the dependencies of the previous image: pyproject.toml is unchanged" in procfile_folder.rebuild().log
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [("runtime.txt", f"python-{PYTHON}"), ("runtime.txt", f"python-{MINOR}.x"), (".python-version", f"{MINOR}\n")],
)
def test_a_file_that_asks_for_this_python_is_named(mlserver_folder: Folder, name: str, content: str) -> None:
    mlserver_folder.write(name, content)

    assert f"Using Python PYTHON of the base image: {name} asks for" in mlserver_folder.build().log[1]


@pytest.mark.parametrize(
    ("first", "second"),
    [("runtime.txt", ".python-version"), ("runtime.txt", "environment.yaml"), (".python-version", "pyproject.toml")],
)
def test_files_that_ask_for_different_pythons_are_both_named(mlserver_folder: Folder, first: str, second: str) -> None:
    for name, version in ((first, MINOR), (second, f"3.{sys.version_info.minor + 1}")):
        text = {
            "runtime.txt": f"python-{version}",
            ".python-version": version,
            "environment.yaml": CONDA.format(python=version),
            "pyproject.toml": f"[project]\nname = 'm'\nversion = '1'\nrequires-python = '>={version}'\n",
        }
        mlserver_folder.write(name, text[name])

    error = mlserver_folder.refused()

    assert first in error.splitlines()[0]
    assert second in error.splitlines()[0]
    assert "Change one of them, or delete it" in error


def test_every_line_of_a_procfile_is_a_process_and_web_the_default(procfile_folder: Folder) -> None:
    procfile_folder.write("Procfile", "web: python -m model\nwork: python work.py --once\n")

    procfile_folder.build()

    assert procfile_folder.launch()["processes"] == [
        {"type": "web", "command": ["python", "-m", "model"], "default": True},
        {"type": "work", "command": ["python", "work.py", "--once"], "default": False},
    ]


@pytest.mark.parametrize(
    ("style", "files"),
    [
        ("kserve", {"model.py": "from kserve import Model\nclass Iris(Model):\n    pass\n"}),
        ("mlserver", {"models/sum/models.py": "from mlserver import MLModel\nclass Sum(MLModel):\n    pass\n"}),
        ("nos", {"serve.yaml": "models: {clip: {model_cls: Clip, model_path: clip.py}}\n", "clip.py": ""}),
        ("infosys", {"mil_config.json": "{}", "loader.py": ""}),
        (
            "nemo_curator",
            {"m.py": "from nemo_curator.models.base import ModelInterface\nclass C(ModelInterface): ...\n"},
        ),
    ],
)
def test_without_a_procfile_the_style_is_told_and_served(folder: Folder, style: str, files: dict[str, str]) -> None:
    folder.write("requirements.txt")
    for name, content in files.items():
        folder.write(name, content)

    assert folder.build().status == 0
    assert folder.web() == ["modelwright", "serve", ".", "--style", style]
    assert folder.labels()["dev.modelwright.style"] == style
