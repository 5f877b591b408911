"""Folders become images: the build log, the rebuild log, and what runs in the end; the builder and pack are real."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from buildpacks import engine
from buildpacks.build import build
from buildpacks.builder.base import RELEASE
from tests.e2e.images import (
    EXAMPLES,
    LAYERS,
    PREDICT,
    WHO,
    Built,
    docker,
    eventually,
    image_name,
    in_container,
    serving,
)

pytestmark = pytest.mark.usefixtures("cluster")

LIBRARY = f"{LAYERS}/server/lib"
HOOK = f"{LIBRARY}/modelwright/styles/kserve/site"
INSTALLED = "Installing modelwright 0.1.0, which answers for kserve unless MODELWRIGHT_KSERVE=genuine"


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory, cluster: object) -> Built:
    """01-iris, built for the first time."""
    folder = tmp_path_factory.mktemp("iris") / "app"
    shutil.copytree(EXAMPLES / "01-iris", folder, ignore=shutil.ignore_patterns("__pycache__"))
    built = Built(folder, image_name(), folder.parent / "build.log")
    built.again()
    docker("pull", "--quiet", built.image)
    return built


def test_the_first_build_says_what_it_chose_and_did(iris: Built) -> None:
    assert iris.buildpack_log() == [
        "[Python version]",
        "Using Python 3.11.2 of the base image: runtime.txt asks for 3.11",
        "[Dependencies]",
        "Installing from requirements.txt with uv 0.13.8",
        "  Using Python 3.11.2 environment at: /layers/modelwright_python/venv",
        "  Resolved N packages in TIME",
        "  Prepared N packages in TIME",
        "  Installed N packages in TIME",
        "  Bytecode compiled N files in TIME",
        "[Model server]",
        INSTALLED,
        "[Processes]",
        "web (default): python -m model",
        "[Labels]",
        "dev.modelwright.models=iris",
        "dev.modelwright.python=3.11.2",
        "dev.modelwright.server=0.1.0",
        "dev.modelwright.style=kserve",
        "org.opencontainers.image.title=iris",
    ]


def test_an_unchanged_folder_is_not_built(iris: Built) -> None:
    assert iris.again().built is False


def test_the_model_serves_as_any_user_on_a_read_only_root(iris: Built) -> None:
    with serving(iris.image, "--workers", "1", "--http_port", "9123") as container:
        assert json.loads(eventually(container, PREDICT)) == {"predictions": [0, 1, 2]}
        # The arguments were appended to the Procfile's line, not put in place of it.
        assert "python -m model --workers 1 --http_port 9123" in docker("top", container, "-o", "pid,args")
        assert json.loads(eventually(container, WHO))["name"] == "modelwright"


def test_genuine_kserve_is_one_variable_away(iris: Built) -> None:
    with serving(iris.image, "--http_port", "9123", MODELWRIGHT_KSERVE="genuine") as container:
        assert json.loads(eventually(container, WHO))["name"] == "kserve"


def test_the_port_that_platforms_set_is_listened_on(iris: Built) -> None:
    with serving(iris.image, PORT="9123") as container:
        assert json.loads(eventually(container, WHO))["name"] == "modelwright"


def test_the_environment_suits_a_container(iris: Built) -> None:
    program = (
        "import getpass, json, os; print(json.dumps([getpass.getuser(), os.path.expanduser('~'), dict(os.environ)]))"
    )

    user, home, environment = json.loads(in_container(iris.image, "python", "-c", program))

    assert (user, home) == ("cnb", "/tmp")
    assert environment["VIRTUAL_ENV"] == "/layers/modelwright_python/venv"
    assert environment["PATH"].startswith("/layers/modelwright_python/venv/bin:")
    assert environment["PYTHONPATH"] == f"{HOOK}:{LIBRARY}:/workspace"
    assert environment["PYTHONUNBUFFERED"] == "1"
    assert environment["XDG_CACHE_HOME"] == "/tmp/.cache"
    assert "SSL_CERT_FILE" not in environment
    assert not [name for name in environment if name.startswith("UV_")]


def test_a_home_that_can_be_written_to_is_left_alone(iris: Built) -> None:
    options = ["--rm", "--network", "none", "--env", "HOME=/tmp/mine", "--tmpfs", "/tmp/mine:mode=1777"]

    home = docker("run", *options, "--entrypoint", "launcher", iris.image, "--", "printenv", "HOME")

    assert home == "/tmp/mine"


def test_the_image_has_no_tool_to_build_with_and_no_certificate_of_the_host(iris: Built) -> None:
    tools = in_container(iris.image, "sh", "-c", "for tool in uv pip pip3 gcc cc make; do command -v $tool; done; true")
    certificates = in_container(iris.image, "sha256sum", "/etc/ssl/certs/ca-certificates.crt")
    base = f"{engine.repository('run')}:{RELEASE}"
    of_base = docker("run", "--rm", "--network", "none", base, "sha256sum", "/etc/ssl/certs/ca-certificates.crt")

    assert tools == ""
    assert certificates == of_base


def test_the_default_user_is_not_root(iris: Built) -> None:
    assert docker("inspect", "--format", "{{.Config.User}}", iris.image) == "1000:1000"


def test_a_change_of_code_reuses_the_dependencies(iris: Built) -> None:
    with (iris.folder / "model.py").open("a") as code:
        code.write("\n# changed\n")

    result = iris.again()

    assert result.built
    assert iris.buildpack_log() == [
        "[Python version]",
        "Using Python 3.11.2 of the base image: runtime.txt asks for 3.11",
        "[Dependencies]",
        "Reusing the dependencies of the previous image: requirements.txt is unchanged",
        "[Model server]",
        "Reusing modelwright 0.1.0 of the previous image",
        "[Processes]",
        "web (default): python -m model",
        "[Labels]",
        "dev.modelwright.models=iris",
        "dev.modelwright.python=3.11.2",
        "dev.modelwright.server=0.1.0",
        "dev.modelwright.style=kserve",
        "org.opencontainers.image.title=iris",
    ]
    for layer in ("venv", "server"):
        assert f"Reusing layer 'modelwright/python:{layer}'" in iris.log.read_text()
    docker("pull", "--quiet", iris.image)
    assert in_container(iris.image, "tail", "-1", "model.py") == "# changed"
    assert "numpy" in in_container(iris.image, "python", "-c", "import numpy; print(numpy.__name__)")


@pytest.mark.usefixtures("without_server")
def test_a_change_of_dependencies_says_why_it_installs_anew(attempt: Built) -> None:
    attempt.again()
    (attempt.folder / "requirements.txt").write_text("iniconfig==2.1.0\n")

    attempt.again()

    assert "Installing anew: dependencies changed" in attempt.buildpack_log()
    docker("pull", "--quiet", attempt.image)
    assert in_container(attempt.image, "python", "-c", "import iniconfig; print(iniconfig.__name__)") == "iniconfig"


def test_one_tree_built_twice_from_nothing_is_one_digest(attempt: Built, tmp_path: Path) -> None:
    (attempt.folder / "requirements.txt").write_text("iniconfig==2.1.0\n")

    first = attempt.again()
    second = build(attempt.folder, image_name(), fresh=True, log=tmp_path / "second.log")

    assert first.digest == second.digest


@pytest.mark.usefixtures("without_server")
def test_every_line_of_the_procfile_is_a_process(attempt: Built) -> None:
    (attempt.folder / "Procfile").write_text('web: python -m model\nhello: echo "hello from $PLACE"\n')

    attempt.again()
    docker("pull", "--quiet", attempt.image)

    options = ["--rm", "--network", "none", "--env", "PLACE=here", "--entrypoint", "/cnb/process/hello"]
    assert docker("run", *options, attempt.image, "and", "there") == "hello from here and there"


@pytest.mark.usefixtures("without_server")
def test_a_project_is_a_layer_of_its_own_and_its_scripts_see_the_dependencies(
    project: Path, attempt: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BP_UV_EXTRAS", "config")
    attempt.again()
    code = project / "src" / "greeter" / "__init__.py"
    code.write_text(code.read_text().replace("greetings", "good day"))

    attempt.again()

    assert "Reusing the dependencies of the previous image: uv.lock is unchanged" in attempt.buildpack_log()
    docker("pull", "--quiet", attempt.image)
    assert docker("run", "--rm", "--network", "none", attempt.image) == "good day"


@pytest.mark.usefixtures("without_server")
def test_version_control_and_environments_stay_out_of_the_image(attempt: Built) -> None:
    for name in (".git", ".venv", "__pycache__", "lib/__pycache__"):
        (attempt.folder / name).mkdir(parents=True)
        (attempt.folder / name / "left").touch()

    attempt.again()
    docker("pull", "--quiet", attempt.image)

    assert in_container(attempt.image, "find", ".", "-name", "left") == ""
    assert (attempt.folder / ".git" / "left").exists()
