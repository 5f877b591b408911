"""From the files that authors name to descriptions."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from modelwright.environments import conda, lockfile, requirements
from modelwright.environments.description import Description, Kind
from modelwright.errors import EnvironmentUnusable

_CONDA: Final = (".yaml", ".yml")
_TARBALL: Final = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar")


def from_file(path: Path) -> Description:
    """Describe an environment by a file's name: a conda file, a lockfile, a tarball, else requirements.

    Raises:
        EnvironmentUnusable: the file is missing or not what its name says.

    """
    if path.is_dir():
        return from_folder(path)
    if path.name.lower().endswith(_TARBALL):
        return from_tarball(path)
    if path.suffix in _CONDA:
        return conda.read(path)
    if path.name == "uv.lock":
        return lockfile.read(path)
    return requirements.read(path)


def from_tarball(path: Path) -> Description:
    """Describe a packed environment, of conda-pack or venv-pack.

    Raises:
        EnvironmentUnusable: the file cannot be read, or is no tarball by its name.

    """
    if not path.name.lower().endswith(_TARBALL):
        raise EnvironmentUnusable(
            f"{path}: an environment's tarball is named {', '.join(_TARBALL)}; rename or repack it"
        )
    # Only who has a tarball pays for the import.
    from modelwright.weights.verify import digest  # noqa: PLC0415

    try:
        content = digest(path)
    except OSError as error:
        raise EnvironmentUnusable(
            f"{path} cannot be read: {error.strerror}; make it with `conda-pack -o {path.name}` or `venv-pack`"
        ) from None
    return Description(Kind.TARBALL, str(path), path=path, content=content)


def from_folder(path: Path) -> Description:
    """Describe an environment that is there already: its folder, with bin/python in it."""
    return Description(Kind.FOLDER, str(path), path=path)


def named(name: str, folder: Path) -> Description | None:
    """Describe the environment that code asks for by conda's name for it; None where there is none of that name.

    A file beside the code comes first: `environments/NAME.yaml` (or .yml, .txt, .tar.gz), or an environment.yaml or
    conda.yaml whose `name` it is; then conda's own folders.

    Raises:
        EnvironmentUnusable: the file that has the name cannot be used.

    """
    for ending in (*_CONDA, ".txt", ".tar.gz"):
        for parent in (folder / "environments", folder):
            path = parent / f"{name}{ending}"
            if path.is_file():
                return replace(from_file(path), name=name)
    for path in (folder / f"{stem}{ending}" for stem in ("environment", "conda") for ending in _CONDA):
        if path.is_file() and (found := conda.read(path)).name == name:
            return found
    there = next((each for each in _conda_folders() if (each / name / "bin").is_dir()), None)
    return replace(from_folder(there / name), name=name) if there else None


def _conda_folders() -> list[Path]:
    listed = os.environ.get("CONDA_ENVS_PATH", "").split(os.pathsep)
    root = os.environ.get("MAMBA_ROOT_PREFIX") or os.environ.get("CONDA_ROOT")
    homes = [Path.home() / each / "envs" for each in (".conda", "miniconda3", "miniforge3", "anaconda3")]
    return [*(Path(each) for each in listed if each), *([Path(root) / "envs"] if root else []), *homes]
