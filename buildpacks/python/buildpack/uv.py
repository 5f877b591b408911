"""Running uv, which is on the build image and not on the run image, and telling its failures apart."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import errors, log
from .context import Context
from .interpreter import Interpreter

# Any fixed moment: with it compiled files carry their source's hash instead of a time, and two builds give one digest.
EPOCH = "315532801"

_UNREACHABLE = "error sending request|dns error|tls handshake|invalid peer certificate|timed out|status server error"


@dataclass(frozen=True)
class Uv:
    """uv with the environment that makes it work inside the layers and nowhere else."""

    environment: Mapping[str, str]
    folder: Path
    ran: list[str] = field(default_factory=list)
    """Its commands so far."""

    @classmethod
    def prepare(cls, context: Context, interpreter: Interpreter, cache: Path) -> "Uv":
        """Fix the interpreter, the cache and everything that could make two builds differ."""
        inherited = {name: value for name, value in context.environment.items() if name != "PYTHONPATH"}
        fixed = {
            "UV_CACHE_DIR": str(cache),
            "UV_PYTHON": str(interpreter.path),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_MANAGED_PYTHON": "1",
            "UV_COMPILE_BYTECODE": "1",
            "UV_NO_PROGRESS": "1",
            "UV_LINK_MODE": "hardlink",
            "SOURCE_DATE_EPOCH": EPOCH,
            "NO_COLOR": "1",
        }
        return cls({**inherited, **fixed}, context.app)

    def having(self, **variables: str) -> "Uv":
        """Return the same uv with a few variables more."""
        return Uv({**self.environment, **variables}, self.folder, self.ran)

    def version(self) -> str:
        """Ask for the version of uv, which decides what a lockfile may contain."""
        printed = subprocess.run(["uv", "--version"], capture_output=True, text=True, check=True)
        return printed.stdout.split()[1]

    def resolves(self, requirements: Sequence[str]) -> bool:
        """Whether these requirements alone could be installed."""
        tried = subprocess.run(
            ["uv", "pip", "install", "--quiet", "--dry-run", *requirements],
            cwd=self.folder, env=dict(self.environment), capture_output=True, check=False,
        )  # fmt: skip
        return tried.returncode == 0

    def run(self, arguments: Sequence[str], *, source: str) -> None:
        """Run uv, passing its lines on as they come. Raises the error that explains what it said."""
        self.ran.append(arguments[0])
        command = ["uv", *arguments]
        process = subprocess.Popen(
            command, cwd=self.folder, env=dict(self.environment), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        lines: list[str] = []
        for line in process.stdout or ():
            lines.append(line)
            log.info("  " + line.rstrip())
        status = process.wait()
        if status != 0:
            raise explain(source, status, "".join(lines))


def explain(source: str, status: int, output: str) -> errors.BuildpackError:
    """Say what a failure of uv means to the author of the folder. Pure."""
    said = " ".join(output.split())
    if re.search(r"lockfile .*needs to be updated|Unable to find lockfile", said, re.I):
        return errors.lockfile_out_of_step()
    if re.search(r"Extra `[^`]*` is not defined", said, re.I):
        return errors.unknown_extras()
    if match := re.search(r"\b(401 Unauthorized|403 Forbidden)\b", said):
        return errors.index_refuses(match[1])
    if re.search(_UNREACHABLE, said, re.I):
        return errors.index_unreachable()
    if match := re.search(r"No solution found.*?(Because .*)|(Couldn't parse requirement.*)", said, re.I):
        return errors.Unsatisfiable(source, match[1] or match[2])
    return errors.install_failed(source, status)
