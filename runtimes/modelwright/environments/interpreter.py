"""The interpreter of an environment: found, checked for this machine before it runs, and asked what it is."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from modelwright.environments.description import OLDEST
from modelwright.errors import EnvironmentUnusable

# Seconds; numpy is not imported, only looked for.
_PATIENCE: Final = 60
_ASK: Final = (
    "import importlib.util as u, json, platform, sys; print(json.dumps({"
    "'version': list(sys.version_info[:3]), 'implementation': platform.python_implementation(), "
    "'numpy': u.find_spec('numpy') is not None}))"
)
_MACHINES: Final = {0x3E: "x86_64", 0xB7: "aarch64", 0x03: "i686", 0xF3: "riscv64", 0x15: "ppc64le", 0x16: "s390x"}
_MACHO: Final = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that ran: its program and version."""

    program: Path
    version: tuple[int, int, int]


def find(folder: Path, source: str) -> Path:
    """Give the interpreter of an environment's folder; raises EnvironmentUnusable where it has none."""
    for name in ("python", "python3"):
        program = folder / "bin" / name
        if program.exists():
            return program
    if (folder / "Scripts" / "python.exe").exists():
        raise EnvironmentUnusable(f"{source}: the environment was made on Windows; make it on {_here()}")
    missing = "is a broken link" if any((folder / "bin" / name).is_symlink() for name in ("python", "python3")) else (
        "is missing"
    )  # fmt: skip
    raise EnvironmentUnusable(
        f"{source}: bin/python {missing}: name a virtual or conda environment, or a tarball that conda-pack or "
        "venv-pack made of one"
    )


def check(folder: Path, source: str, wanted: str = "") -> Interpreter:
    """Ask an environment's interpreter what it is.

    Raises:
        EnvironmentUnusable: it is for another platform, does not run, is too old or has no numpy.

    """
    program = find(folder, source)
    made_for = platform_of(program)
    if made_for is not None and made_for != _here():
        raise EnvironmentUnusable(
            f"{source}: the environment was made for {made_for}, and this machine is {_here()}; make it here, or in a "
            "container of this platform"
        )
    told = _ask(program, source)
    version: tuple[int, int, int] = tuple(told["version"])
    shown = ".".join(map(str, version))
    if version < OLDEST or told["implementation"] != "CPython":
        raise EnvironmentUnusable(
            f"{source}: the environment has {told['implementation']} {shown}; Modelwright runs models in CPython "
            f"{'.'.join(map(str, OLDEST))} or newer: make the environment with one"
        )
    if not told["numpy"]:
        raise EnvironmentUnusable(
            f"{source}: the environment has no numpy, which carries tensors between it and the server; add numpy to it"
        )
    return Interpreter(program, version)


def platform_of(program: Path) -> str | None:
    """Tell from its header what system and machine a program is for; None for one that is not known."""
    try:
        with program.open("rb") as file:
            header = file.read(20)
    except OSError:
        return None
    if header[:4] == b"\x7fELF" and len(header) == 20:
        machine = int.from_bytes(header[18:20], "little" if header[5] == 1 else "big")
        return f"Linux {_MACHINES.get(machine, 'of an unknown machine')}"
    if header[:4] in _MACHO:
        return "macOS"
    return "Windows" if header[:2] == b"MZ" else None


def _here() -> str:
    return "macOS" if sys.platform == "darwin" else f"{platform.system()} {platform.machine()}"


def _ask(program: Path, source: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [str(program), "-I", "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _broken(source, str(error))
    if done.returncode:
        _broken(source, done.stderr.strip())
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _broken(source: str, reason: str) -> NoReturn:
    last = reason.splitlines()[-1] if reason else "it said nothing"
    raise EnvironmentUnusable(
        f"{source}: the environment's Python does not run here: {last}; make the environment on this platform, with "
        "its interpreter inside (conda-pack) or one that is here too"
    )
