"""The buildpack run as the lifecycle runs it, `bin/detect` and `bin/build`, with packages from a folder of our own."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
PYTHON = ".".join(map(str, sys.version_info[:3]))
# The packages of the runtime kit that the buildpack borrows, and what these import.
BORROWED = ("cli", "environments", "styles")


def wheel(
    folder: Path, name: str, version: str, files: Mapping[str, str | bytes] | None = None, *lines: str, tag: str = "py3"
) -> Path:
    """Write a wheel that installs as one from an index does; `lines` are further headers of its metadata."""
    stem = name.replace("-", "_")
    information = f"{stem}-{version}.dist-info"
    content = {f"{stem}.py": f"VERSION = {version!r}\n"} if files is None else dict(files)
    content[f"{information}/METADATA"] = "\n".join(
        ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines, ""]
    )
    content[f"{information}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}-none-any\n"
    )
    rows = [f"{path},sha256={_hash(data)},{len(_bytes(data))}" for path, data in content.items()]
    content[f"{information}/RECORD"] = "\n".join([*rows, f"{information}/RECORD,,", ""])
    path = folder / f"{stem}-{version}-{tag}-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in content.items():
            archive.writestr(zipfile.ZipInfo(entry), data)
    return path


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _hash(data: str | bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(_bytes(data)).digest()).rstrip(b"=").decode()


def stage(folder: Path) -> Path:
    """Lay the buildpack out as `make builder` does; the server's wheel has no more than the build borrows of it."""
    target = folder / "buildpack"
    shutil.copytree(ROOT / "buildpacks" / "python", target, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "server").mkdir()
    (target / "server" / "requirements.txt").write_text("served>=1\n")
    package = ROOT / "runtimes" / "modelwright"
    paths = [*package.glob("*.py"), *(path for name in BORROWED for path in (package / name).glob("*.py"))]
    files = {str(path.relative_to(package.parent)): path.read_bytes() for path in sorted(paths)}
    files["modelwright-0.1.0.dist-info/entry_points.txt"] = b"[console_scripts]\nmodelwright = modelwright.cli:main\n"
    wheel(target / "server", "modelwright", "0.1.0", files, "License-Expression: Apache-2.0")
    library = target / "server" / "library"
    shutil.copytree(Path(yaml.__file__).parent, library / "yaml", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in (each for each in files if each.startswith("modelwright/")):
        (library / name).parent.mkdir(parents=True, exist_ok=True)
        (library / name).write_bytes(files[name])
    return target


@dataclass(frozen=True)
class Phase:
    """What a phase did: its exit status, and the lines that it printed and did not."""

    status: int
    log: list[str]
    error: str


@dataclass
class Folder:
    """An author's folder, and the layers that its builds leave."""

    app: Path
    layers: Path
    buildpack: Path
    path: str
    index: Path
    variables: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, content: str | bytes = "") -> Path:
        file = self.app / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_bytes(content))
        return file

    def detect(self) -> Phase:
        return self._run("detect")

    def build(self) -> Phase:
        """Build, on a copy of the folder as the lifecycle's is one."""
        shutil.rmtree(self.workspace, ignore_errors=True)
        shutil.copytree(self.app, self.workspace, symlinks=True)
        return self._run("build")

    def refused(self) -> str:
        """Build what cannot be built, and return what its author reads."""
        phase = self.build()
        assert phase.status == 1, (phase.log, phase.error)
        assert "Traceback" not in phase.error
        return phase.error.strip()

    def rebuild(self) -> Phase:
        """Build again as the lifecycle does: metadata and SBOMs come back, contents only of cached layers."""
        for descriptor in self.layers.glob("*.toml"):
            written = tomllib.loads(descriptor.read_text())
            types = written.get("types", {})
            if descriptor.name == "launch.toml" or not types:
                descriptor.unlink()
                continue
            text = descriptor.read_text()
            descriptor.write_text(text[text.index("[metadata]") :])
            if not types["cache"]:
                shutil.rmtree(self.layers / descriptor.stem, ignore_errors=True)
        return self.build()

    @property
    def workspace(self) -> Path:
        return self.layers.parents[1] / "workspace"

    def launch(self) -> dict[str, Any]:
        return tomllib.loads((self.layers / "launch.toml").read_text())

    def labels(self) -> dict[str, str]:
        return {label["key"]: label["value"] for label in self.launch()["labels"]}

    def web(self) -> Sequence[str]:
        return next(each["command"] for each in self.launch()["processes"] if each["default"])

    def python(self, *arguments: str, **variables: str) -> str:
        """Run the image's Python on this machine; the layers lie where they were built."""
        command = [str(self.layers / "venv" / "bin" / "python"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=variables).stdout.strip()

    def _run(self, phase: str) -> Phase:
        folder = self.app if phase == "detect" else self.workspace
        environment = {
            "PATH": self.path,
            "CNB_LAYERS_DIR": str(self.layers),
            "CNB_BUILDPACK_DIR": str(self.buildpack),
            "UV_CONFIG_FILE": str(self.index / "uv.toml"),
            **self.variables,
        }
        done = subprocess.run(
            [self.buildpack / "bin" / phase], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        return Phase(done.returncode, _neutral(done.stdout, self.layers), done.stderr)


def _neutral(printed: str, layers: Path) -> list[str]:
    """Leave out what differs by machine and moment: times, counts, folders, versions of the tools."""
    text = printed.replace(str(layers), "LAYERS")
    text = re.sub(r"\b\d+(\.\d+)?m?s\b", "TIME", re.sub(r"\b\d+ (files?)", r"N \1", text))
    text = re.sub(r"with uv \S+", "with uv VERSION", text).replace(PYTHON, "PYTHON")
    return [line for line in text.splitlines() if line]


def tools(folder: Path, uv: str) -> str:
    """Make a PATH with this interpreter, uv, and the shell's own tools."""
    folder.mkdir()
    real = Path(sys.executable).resolve()
    (folder / "python3").symlink_to(real)
    (folder / f"python3.{sys.version_info.minor}").symlink_to(real)
    (folder / "uv").symlink_to(Path(uv).resolve())
    for name in ("sh", "env"):
        found = shutil.which(name, path="/usr/bin:/bin")
        assert found
        (folder / name).symlink_to(found)
    return str(folder) + os.pathsep
