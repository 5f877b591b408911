"""Packed environments: unpacked without trust, their interpreter put in place."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

from modelwright.environments import interpreter, uv
from modelwright.environments.description import check_python
from modelwright.errors import EnvironmentUnusable
from modelwright.weights import archive, verify
from modelwright.weights.errors import WeightsError

_PYTHON: Final = re.compile(r"^(?:\./)?(?:[^/]+/)?bin/python[\d.]*$")


def unpack(tarball: Path, folder: Path, source: str) -> None:
    """Unpack an environment into `folder`, which is created; raises EnvironmentUnusable where it is not to be trusted.

    A virtual environment's interpreter is a link out of it: none such is unpacked, a Python of its version that is
    here takes the place.
    """
    try:
        archive.unpack(source, tarball, folder, limit=verify.free(folder.parent), leave_out=_leads_out, modes=True)
    except WeightsError as error:
        raise EnvironmentUnusable(str(error)) from error
    _flatten(folder)
    if not any((folder / "bin" / name).exists() for name in ("python", "python3")):
        _put_interpreter(folder, source)


def finish(folder: Path, source: str) -> None:
    """Run conda-pack's own last step, which writes the folder's place into its files; only where it is to stay."""
    script = folder / "bin" / "conda-unpack"
    if not script.exists():
        return
    program = interpreter.find(folder, source)
    done = subprocess.run(
        [str(program), str(script)], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise EnvironmentUnusable(f"{source}: its own bin/conda-unpack failed: {last}; pack the environment again")


def _leads_out(member: tarfile.TarInfo) -> bool:
    return member.issym() and member.linkname.startswith("/") and bool(_PYTHON.match(member.name))


def _flatten(folder: Path) -> None:
    """Move up what lies in a single folder, as `tar -czf environment.tar.gz venv` leaves it."""
    inside = list(folder.iterdir())
    if len(inside) != 1 or not inside[0].is_dir() or inside[0].is_symlink() or inside[0].name == "bin":
        return
    outer = inside[0].rename(folder / ".unpacked")
    for each in list(outer.iterdir()):
        each.rename(folder / each.name)
    outer.rmdir()


def _put_interpreter(folder: Path, source: str) -> None:
    """Link bin/python to a Python of the version that pyvenv.cfg names, and let pyvenv.cfg say where that is."""
    settings = folder / "pyvenv.cfg"
    lines = settings.read_text(encoding="utf-8").splitlines() if settings.is_file() else []
    version = next(
        (found[1] for line in lines if (found := re.match(r"^version(?:_info)?\s*=\s*(\d+\.\d+)", line))), None
    )
    if version is None:
        raise EnvironmentUnusable(
            f"{source}: it has neither bin/python nor a pyvenv.cfg that names a version: pack an environment with "
            "conda-pack or venv-pack"
        )
    check_python(version, f"{source}: pyvenv.cfg")
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    # Not this process's own program where it is in an environment itself: that one's packages are not for here.
    here = Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()
    program = here if version == ours else Path(uv.python(version, source)).resolve()
    binaries = folder / "bin"
    binaries.mkdir(exist_ok=True)
    for name in ("python", "python3", f"python{version}"):
        (binaries / name).unlink(missing_ok=True)
        (binaries / name).symlink_to(program)
    kept = [line for line in lines if not re.match(r"^(?:home|executable|command|base-\w+)\s*=", line)]
    settings.write_text("\n".join([f"home = {program.parent}", *kept]) + "\n", encoding="utf-8")
