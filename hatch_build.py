"""Build hook: with MODELWRIGHT_COMPILE=1 a wheel has the data plane's hot modules compiled beside their Python.

Without it, and always in an editable install, everything is Python: no compiler is needed, and what is edited runs. The
modules are listed in pyproject.toml; docs/adr/0026 says why these.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SWITCH = "MODELWRIGHT_COMPILE"
GROUP = "modelwright"
# mypy sees these modules and the standard library only, so that the code made is the same whatever is installed.
OPTIONS = ("--config-file=", "--cache-dir=/dev/null", "--no-site-packages", "--ignore-missing-imports")
FOLLOWED = ("--follow-imports=skip", "--explicit-package-bases", "--namespace-packages")


class CompileHook(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles with mypyc, in a folder of its own: the tree stays as it is."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what compiling needs, and nothing where it is not asked for."""
        return list(self.config["requires"]) if _asked() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and add what comes out to the wheel. Raises CalledProcessError; the compiler says why."""
        if version == "editable" or not _asked():
            return
        self._folder = Path(tempfile.mkdtemp(prefix="modelwright-compile-"))
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(Path(self.root, self.config["source"], GROUP), self._folder / GROUP, ignore=ignored)
        command = [sys.executable, str(Path(self.root, "hatch_build.py")), *self.config["modules"]]
        # Sets of names are written in the order of their hashes.
        environment = {**os.environ, "PYTHONHASHSEED": "0", "MYPYPATH": "."}
        subprocess.run(command, cwd=self._folder, env=environment, check=True, stdout=sys.stderr)
        for made in sorted(self._folder.rglob(f"*{sysconfig.get_config_var('EXT_SUFFIX')}")):
            name = made.relative_to(self._folder)
            if name.parts[0] != "build":
                build_data["force_include"][str(made)] = str(name)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was made on the way."""
        if folder := getattr(self, "_folder", None):
            shutil.rmtree(folder)


def _asked() -> bool:
    value = os.environ.get(SWITCH, "0")
    if value not in ("0", "1"):
        raise ValueError(f"{SWITCH} is {value!r}; write 1 to compile, 0 or nothing for a wheel of Python alone")
    return value == "1"


def compile_here(modules: list[str]) -> None:
    """Compile modules of the package in this folder, each beside its source."""
    # Only while compiling are they there.
    from mypyc.build import mypycify  # noqa: PLC0415
    from setuptools import setup  # noqa: PLC0415

    extensions = mypycify([*OPTIONS, *FOLLOWED, *modules], opt_level="2", debug_level="0", group_name=GROUP)
    if sys.platform == "linux":
        # Not as this interpreter was linked, whose folders would be written into what we ship.
        os.environ["LDSHARED"] = "gcc -shared -s -Wl,--build-id=none"
    setup(name=GROUP, packages=[], ext_modules=extensions, script_args=["--quiet", "build_ext", "--inplace"])


if __name__ == "__main__":
    compile_here(sys.argv[1:])
