"""Images as the tests make and run them: one folder, its image, the log of its build, a container of it."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from modelwright.images.errors import ImageError
from modelwright.images.tools import asked

from buildpacks import engine
from buildpacks.build import Result, build

EXAMPLES = Path(__file__).parents[2] / "runtimes" / "examples"
LAYERS = "/layers/modelwright_python"
# As `curl -d` sends it: with the content type of a form.
PREDICT = """
import urllib.request
url = "http://localhost:9123/v1/models/iris:predict"
print(urllib.request.urlopen(url, open("input.json", "rb").read(), timeout=5).read().decode())
"""
WHO = 'import urllib.request; print(urllib.request.urlopen("http://localhost:9123/v2", timeout=5).read().decode())'


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
    printed = asked(["docker", *arguments], environment=engine.environment(), seconds=600)
    assert printed is not None, f"docker {' '.join(arguments)} failed"
    return printed


def in_container(image: str, *command: str) -> str:
    """Run a command under the launcher as a stranger's UID, with nothing writable but /tmp."""
    options = ["--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--user", "54321:0"]
    return docker("run", *options, "--entrypoint", "launcher", image, "--", *command)


def image_name() -> str:
    return f"{engine.registry()}/modelwright-test/{secrets.token_hex(6)}:dev"


@contextmanager
def serving(image: str, *arguments: str, **environment: str) -> Iterator[str]:
    """The image's `web` process as a stranger's UID, with nothing writable but /tmp; the container's id."""
    options = ["--detach", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--user", "54321:0"]
    variables = [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
    container = docker("run", *options, *variables, image, *arguments)
    try:
        yield container
    finally:
        docker("rm", "--force", container)


def eventually(container: str, program: str) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        command = ["docker", "exec", container, "/cnb/lifecycle/launcher", "--", "python", "-c", program]
        if (printed := asked(command, environment=engine.environment())) is not None:
            return printed
        time.sleep(0.5)
    raise AssertionError(docker("logs", container))


def lock(folder: Path) -> None:
    subprocess.run([os.environ.get("UV", "uv"), "lock", "--quiet", "--directory", str(folder)], check=True)


def depend(project: Path, requirement: str) -> None:
    pyproject = project / "pyproject.toml"
    pyproject.write_text(
        pyproject.read_text().replace('version = "1.0"', f'version = "1.0"\ndependencies = ["{requirement}"]')
    )
    lock(project)


def refused(attempt: Built) -> str:
    """Build what cannot be built, and return the error that its author reads."""
    with pytest.raises(ImageError):
        attempt.again()
    return attempt.log.read_text().partition("[Error: ")[2].partition("ERROR:")[0]
