"""What bad input gets: one message that names the thing and the remedy, exit status 1, and no image."""

from __future__ import annotations

import http.server
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.unit.buildpacks.staged import PYTHON, Folder


def test_no_requirements(mlserver_folder: Folder) -> None:
    (mlserver_folder.app / "requirements.txt").unlink()

    error = mlserver_folder.refused()

    assert error.startswith("[Error: No requirements: nothing says which packages this folder needs]\n")
    assert "Write a requirements.txt beside the code" in error


@pytest.mark.parametrize(
    ("line", "title", "named", "remedy"),
    [
        ("nonesuch", "names a package that the index does not have", "nonesuch was not found", "Check the spelling"),
        ("small==9", "asks for a version that does not exist", "small==9", "Check the version"),
        ("future==1.0", "asks for a version that is not for this Python", "Python >=3.99", "in runtime.txt"),
        ("small=1", "has a line that is no requirement", "small=1", "Write it as pip does"),
        ("small==1.0\nsmall==2.0", "cannot be satisfied", "small==2.0", "exclude each other"),
    ],
)
def test_requirements_that_cannot_be_had(
    mlserver_folder: Folder, line: str, title: str, named: str, remedy: str
) -> None:
    mlserver_folder.write("requirements.txt", f"{line}\n")

    error = mlserver_folder.refused()

    assert error.startswith(f"[Error: requirements.txt {title}]\n")
    assert named in error
    assert remedy in error
    assert not (mlserver_folder.layers / "launch.toml").exists()


def test_a_python_that_nobody_has_is_told_what_there_is(mlserver_folder: Folder) -> None:
    mlserver_folder.write("runtime.txt", "python-3.7")

    error = mlserver_folder.refused()

    assert error.startswith("[Error: Python 3.7, asked for by runtime.txt, is not available]\n")
    assert f"base image has Python {PYTHON}" in error


def test_a_runtime_that_is_no_version(mlserver_folder: Folder) -> None:
    mlserver_folder.write("runtime.txt", "python3")

    assert "Write one line in the form `python-3.11`" in mlserver_folder.refused()


def test_a_procfile_without_web_costs_no_download(procfile_folder: Folder) -> None:
    procfile_folder.write("Procfile", "worker: python -m model\n")

    phase = procfile_folder.build()

    assert phase.status == 1
    assert "[Error: Procfile has no `web` process]\nIt has only: worker." in phase.error
    assert "[Dependencies]" not in phase.log


def test_no_procfile_and_no_style(folder: Folder) -> None:
    folder.write("requirements.txt")
    folder.write("job.py", "print('nothing to serve')\n")

    error = folder.refused()

    assert error.startswith("[Error: No Procfile, and what to serve cannot be told from the files]\n")
    assert "shows none of the styles kserve, mlserver" in error
    assert "web: python -m model" in error
    assert str(folder.workspace) not in error


def test_two_styles_without_a_procfile(mlserver_folder: Folder) -> None:
    mlserver_folder.write("a.py", "import kserve\nclass A(kserve.Model): ...\n")
    mlserver_folder.write("b.py", "import mlserver\nclass B(mlserver.MLModel): ...\n")

    assert "could be of more than one style" in mlserver_folder.refused()


def test_no_procfile_and_no_server(mlserver_folder: Folder) -> None:
    mlserver_folder.variables["BP_MODELWRIGHT_SERVER"] = "false"

    assert "remove BP_MODELWRIGHT_SERVER=false" in mlserver_folder.refused()


@pytest.mark.parametrize("target", ["../secret", "/etc/hostname", "../../etc"])
def test_a_link_that_leads_out_of_the_folder(mlserver_folder: Folder, target: str) -> None:
    (mlserver_folder.app / "data").mkdir()
    (mlserver_folder.app / "data" / "linked").symlink_to(f"../{target}" if target.startswith("..") else target)

    error = mlserver_folder.refused()

    assert error.startswith("[Error: data/linked is a link that leads out of the folder]\nIt points at ")
    assert "Copy the file into the folder" in error


def test_a_link_within_the_folder_is_fine(mlserver_folder: Folder) -> None:
    (mlserver_folder.app / "linked").symlink_to("models.py")

    assert mlserver_folder.build().status == 0


def test_a_lockfile_out_of_step(procfile_folder: Folder) -> None:
    procfile_folder.write(
        "pyproject.toml", '[project]\nname = "m"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["small"]\n'
    )
    procfile_folder.write("uv.lock", 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n')

    assert procfile_folder.refused().startswith("[Error: uv.lock is out of step with pyproject.toml]\n")


def test_a_lockfile_without_its_project(mlserver_folder: Folder) -> None:
    (mlserver_folder.app / "requirements.txt").unlink()
    mlserver_folder.write("uv.lock", "version = 1\n")

    assert "Add the pyproject.toml that it was made from" in mlserver_folder.refused()


@pytest.fixture
def refusing_index() -> Iterator[tuple[str, list[int]]]:
    """An index that answers everything with one status."""
    status = [401]

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/simple", status
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (401, "The package index refuses to answer (HTTP 401 Unauthorized)"),
        (403, "The package index refuses to answer (HTTP 403 Forbidden)"),
        (500, "The package index could not be reached"),
    ],
)
def test_an_index_that_refuses(
    mlserver_folder: Folder, refusing_index: tuple[str, list[int]], status: int, title: str
) -> None:
    address, answered = refusing_index
    answered[0] = status
    mlserver_folder.variables |= {"UV_CONFIG_FILE": "/dev/null", "UV_DEFAULT_INDEX": address, "UV_HTTP_RETRIES": "0"}

    assert mlserver_folder.refused().startswith(f"[Error: {title}]\n")


def test_every_refusal_is_worded_in_one_file(mlserver_folder: Folder) -> None:
    package = mlserver_folder.buildpack / "buildpack"

    wording = [path.name for path in package.glob("*.py") if "BuildpackError(" in path.read_text()]

    assert wording == ["errors.py"], "an error is worded outside of errors.py"
    assert sys.version_info >= (3, 11)
