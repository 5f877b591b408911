"""The model server's wheels: one of Python alone, one compiled for the base image's Python where this machine can."""

import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ..command import stream
from .base import HERE
from .say import step

ROOT = HERE.parents[1]
IMAGES_PYTHON = "3.11"
"""The Python of Debian bookworm; what is compiled for it runs on each of its patch releases."""
SWITCH = "MODELWRIGHT_COMPILE"
_UV = str(ROOT / "scripts" / "uv")
_ASKED = "import sys, sysconfig as s; print(sys.version.split()[0], s.get_path('include'), s.get_platform())"


def compiler() -> str:
    """Say what would compile, for whoever keeps what was made by it: nothing where gcc or Python's headers are missing.

    Images without the compiled wheel do the same, slower.
    """
    python = _python()
    if not python or platform.system() != "Linux":
        return ""
    said, gcc = _said(python, "-c", _ASKED), _said("gcc", "-dumpfullversion")
    headers = said.split()[1] if said else ""
    return f"{said} gcc {gcc}" if gcc and Path(headers, "Python.h").is_file() else ""


def build(source: Path, target: Path, constraints: Path, environment: Mapping[str, str], *, compiled: bool) -> None:
    """Build one wheel of `source` into `target`. Raises ImageError."""
    python = _python() if compiled else sys.executable
    command = [
        _UV,
        "build",
        "--wheel",
        "--python",
        python,
        "--build-constraints",
        str(constraints),
        "--out-dir",
        str(target),
    ]
    switch = {SWITCH: "1" if compiled else "0"}
    stream([*command, str(source)], environment={**environment, **switch}, log=target.with_suffix(".log"))


def compile_too(source: Path, target: Path, constraints: Path, environment: Mapping[str, str]) -> None:
    """Build the compiled wheel where this machine can, and say where it cannot. Raises ImageError."""
    with step(f"the server compiled for Python {IMAGES_PYTHON}") as note:
        if compiler():
            build(source, target, constraints, environment, compiled=True)
        else:
            note(f"left out: no gcc or no headers of Python {IMAGES_PYTHON} here; images run the same server as Python")


def bytecode(folder: Path, place: str) -> None:
    """Compile what a build runs itself, for the base image's Python; `place` is where the folder will lie.

    Without that Python here nothing is compiled, and builds take half a second longer. Raises ImageError.
    """
    if python := _python():
        # Files lose their times on their way into the builder, so that no time may be what makes bytecode valid.
        checked = ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", place]
        command = [python, "-m", "compileall", "-q", *checked, str(folder)]
        stream(command, log=folder.with_suffix(".log"))


def _python() -> str:
    return _said(_UV, "python", "find", IMAGES_PYTHON)


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
