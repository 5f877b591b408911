"""Folders become images: the build log, the rebuild log, and what runs in the end; the builder and pack are real."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from buildpacks import engine
from buildpacks.build import Result, build
from buildpacks.builder.base import RELEASE
from buildpacks.command import ImageError, capture

pytestmark = pytest.mark.usefixtures("cluster")

EXAMPLES = Path(__file__).parents[2] / "runtimes" / "examples"
PREDICT = """
import urllib.request
url, json = "http://localhost:9123/v1/models/iris:predict", {"Content-Type": "application/json"}
request = urllib.request.Request(url, open("input.json", "rb").read(), json)
print(urllib.request.urlopen(request, timeout=5).read().decode())
"""


@dataclass(frozen=True)
class Built:
    """One folder, its image, and the log of its last build."""

    folder: Path
    image: str
    log: Path

    def again(self) -> Result:
        return build(self.folder, self.image, log=self.log)

    def buildpack_log(self) -> list[str]:
        """What our own buildpack printed, without the numbers and package lists that no test should pin."""
        text = self.log.read_text()
        section = text.partition("===> BUILDING\n")[2].partition("===> EXPORTING")[0].partition("ERROR:")[0]
        kept = [
            line for line in section.splitlines() if line and not re.match(r"\s+(\+|Download|Building|Built)", line)
        ]
        return [
            re.sub(r"\b\d+(\.\d+)?m?s\b", "TIME", re.sub(r"\b\d+ (files|packages?)", r"N \1", line)) for line in kept
        ]


def docker(*arguments: str) -> str:
    printed = capture(["docker", *arguments], environment=engine.environment())
    assert printed is not None, f"docker {' '.join(arguments)} failed"
    return printed


def in_container(image: str, *command: str) -> str:
    """Run a command under the launcher as a stranger's UID, with nothing writable but /tmp."""
    options = ["--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--user", "54321:0"]
    return docker("run", *options, "--entrypoint", "launcher", image, "--", *command)


def image_name() -> str:
    return f"{engine.registry()}/modelwright-test/{secrets.token_hex(6)}:dev"


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory, cluster: object) -> Built:
    """01-iris, built for the first time."""
    folder = tmp_path_factory.mktemp("iris") / "app"
    shutil.copytree(EXAMPLES / "01-iris", folder, ignore=shutil.ignore_patterns("__pycache__"))
    built = Built(folder, image_name(), folder.parent / "build.log")
    built.again()
    docker("pull", "--quiet", built.image)
    return built


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The smallest folder that builds."""
    made = tmp_path / "app"
    made.mkdir()
    (made / "model.py").write_text("raise SystemExit('a build must never import this')\n")
    (made / "requirements.txt").write_text("# nothing\n")
    (made / "Procfile").write_text("web: python -m model\n")
    return made


@pytest.fixture
def attempt(folder: Path, tmp_path: Path) -> Built:
    """The same folder, about to be built."""
    return Built(folder, image_name(), tmp_path / "build.log")


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
        "[Processes]",
        "web (default): python -m model",
    ]


def test_an_unchanged_folder_is_not_built(iris: Built) -> None:
    assert iris.again().built is False


def test_the_model_serves_as_any_user_on_a_read_only_root(iris: Built) -> None:
    options = ["--detach", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--user", "54321:0"]
    container = docker("run", *options, iris.image, "--workers", "1", "--http_port", "9123")
    try:
        assert json.loads(_eventually(container, PREDICT)) == {"predictions": [0, 1, 2]}
        # The arguments were appended to the Procfile's line, not put in place of it.
        assert "python -m model --workers 1 --http_port 9123" in docker("top", container, "-o", "pid,args")
    finally:
        docker("rm", "--force", container)


def _eventually(container: str, program: str) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        command = ["docker", "exec", container, "/cnb/lifecycle/launcher", "--", "python", "-c", program]
        if (printed := capture(command, environment=engine.environment())) is not None:
            return printed
        time.sleep(0.5)
    raise AssertionError(docker("logs", container))


def test_the_environment_suits_a_container(iris: Built) -> None:
    program = (
        "import getpass, json, os; print(json.dumps([getpass.getuser(), os.path.expanduser('~'), dict(os.environ)]))"
    )

    user, home, environment = json.loads(in_container(iris.image, "python", "-c", program))

    assert (user, home) == ("cnb", "/tmp")
    assert environment["VIRTUAL_ENV"] == "/layers/modelwright_python/venv"
    assert environment["PATH"].startswith("/layers/modelwright_python/venv/bin:")
    assert environment["PYTHONPATH"] == "/workspace"
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
        "[Processes]",
        "web (default): python -m model",
    ]
    assert "Reusing layer 'modelwright/python:venv'" in iris.log.read_text()
    docker("pull", "--quiet", iris.image)
    assert in_container(iris.image, "tail", "-1", "model.py") == "# changed"
    assert "numpy" in in_container(iris.image, "python", "-c", "import numpy; print(numpy.__name__)")


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


def test_every_line_of_the_procfile_is_a_process(attempt: Built) -> None:
    (attempt.folder / "Procfile").write_text('web: python -m model\nhello: echo "hello from $PLACE"\n')

    attempt.again()
    docker("pull", "--quiet", attempt.image)

    options = ["--rm", "--network", "none", "--env", "PLACE=here", "--entrypoint", "/cnb/process/hello"]
    assert docker("run", *options, attempt.image, "and", "there") == "hello from here and there"


def lock(folder: Path) -> None:
    subprocess.run([os.environ.get("UV", "uv"), "lock", "--quiet", "--directory", str(folder)], check=True)


@pytest.fixture
def project(folder: Path) -> Iterator[Path]:
    """A package with an entry point, an extra and a lockfile."""
    (folder / "requirements.txt").unlink()
    (folder / "model.py").unlink()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "greeter"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
        '[project.optional-dependencies]\nconfig = ["iniconfig==2.1.0"]\n'
        '[project.scripts]\ngreet = "greeter:main"\n'
        '[build-system]\nrequires = ["hatchling>=1.27"]\nbuild-backend = "hatchling.build"\n'
    )
    (folder / "src" / "greeter").mkdir(parents=True)
    (folder / "src" / "greeter" / "__init__.py").write_text(
        "def main():\n    import iniconfig\n    print('greetings')\n"
    )
    (folder / "Procfile").write_text("web: greet\n")
    lock(folder)
    yield folder


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


def refused(attempt: Built) -> str:
    """Build what cannot be built, and return the error that its author reads."""
    with pytest.raises(ImageError):
        attempt.again()
    return attempt.log.read_text().partition("[Error: ")[2].partition("ERROR:")[0]


def test_no_requirements_is_refused_with_the_file_to_write(attempt: Built) -> None:
    (attempt.folder / "requirements.txt").unlink()

    assert "Write a requirements.txt beside it" in refused(attempt)


def test_an_unknown_package_is_named(attempt: Built) -> None:
    (attempt.folder / "requirements.txt").write_text("iniconfig==0.0.77\n")

    message = refused(attempt)

    assert message.startswith("requirements.txt cannot be satisfied]")
    assert "iniconfig==0.0.77" in message
    assert "Check the spelling and the version" in message


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
    (attempt.folder / "index.html").write_text("<p>")

    with pytest.raises(ImageError):
        attempt.again()
    assert "No buildpack groups passed detection" in attempt.log.read_text()


def test_version_control_and_environments_stay_out_of_the_image(attempt: Built) -> None:
    for name in (".git", ".venv", "__pycache__", "lib/__pycache__"):
        (attempt.folder / name).mkdir(parents=True)
        (attempt.folder / name / "left").touch()

    attempt.again()
    docker("pull", "--quiet", attempt.image)

    assert in_container(attempt.image, "find", ".", "-name", "left") == ""
    assert (attempt.folder / ".git" / "left").exists()
