from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.buildpacks.staged import ROOT, Folder, stage, tools, wheel


@pytest.fixture(scope="session")
def uv() -> str:
    """The uv of this repository's own commands."""
    found = os.environ.get("UV") or shutil.which("uv")
    if found:
        return found
    command = [ROOT / "scripts" / "uv", "run", "--no-project", "--quiet", "sh", "-c", 'echo "$UV"']
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stage(tmp_path_factory.mktemp("staged"))


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages that there are: small ones, and a torch with what it brings."""
    folder = tmp_path_factory.mktemp("index")
    (folder / "uv.toml").write_text(f"no-index = true\nfind-links = ['{folder}']\n")
    wheel(folder, "served", "1.0", None, "License-Expression: MIT")
    wheel(folder, "small", "1.0", None, "License: BSD", "Requires-Dist: served")
    wheel(folder, "small", "2.0", None, "License: BSD", "Requires-Dist: served")
    wheel(folder, "future", "1.0", None, "Requires-Python: >=3.99")
    heavy = {"torch/__init__.py": "VERSION = '2.9'\n", "torch/lib/libtorch.so": b"\0" * 4096}
    needed = ("Requires-Dist: nvidia-cublas", "Requires-Dist: small", "License-Expression: BSD-3-Clause")
    scripts = "[console_scripts]\ntorchrun = torch:main\n"
    wheel(folder, "torch", "2.9", {**heavy, "torch-2.9.dist-info/entry_points.txt": scripts}, *needed)
    wheel(folder, "nvidia-cublas", "13.0", {"nvidia/cublas/lib/libcublas.so": b"\0" * 4096})
    wheel(folder, "nvidia-ml-py", "13.0", {"pynvml.py": "VERSION = 13\n"})
    return folder


@pytest.fixture
def folder(tmp_path: Path, staged: Path, uv: str, index: Path) -> Folder:
    """An empty folder, about to be built."""
    app = tmp_path / "app"
    app.mkdir()
    layers = tmp_path / "layers" / "modelwright_python"
    layers.mkdir(parents=True)
    return Folder(app, layers, staged, tools(tmp_path / "bin", uv), index)


@pytest.fixture
def mlserver_folder(folder: Folder) -> Folder:
    """A model of MLServer's, no Procfile, and code that no build may import."""
    folder.write("models.py", "import mlserver\nraise SystemExit('imported while building')\n")
    folder.write(
        "model-settings.json", '{"name": "sum", "implementation": "models.Sum", "parameters": {"version": "v3"}}'
    )
    folder.write("requirements.txt", "small==1.0\n")
    return folder


@pytest.fixture
def procfile_folder(folder: Folder) -> Folder:
    """A model that starts itself."""
    folder.write("model.py", "raise SystemExit('imported while building')\n")
    folder.write("requirements.txt", "small==1.0\n")
    folder.write("Procfile", "web: python -m model\n")
    return folder
