"""The layer `shared`: torch and what it brings, apart from the author's own packages. In the image, never cached.

These are gigabytes that change with torch's version alone. In a layer that depends on nothing else, ten models with one
torch have one digest for it: a registry and a node keep it once, and a change of requirements does not move it. It is
split from `venv` after installing, so that what is installed stays one resolution.
"""

import csv
import io
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from . import log, records, sbom
from .context import Context
from .layers import Layer

if TYPE_CHECKING:
    # Imported where it is used: a build that installs nothing does without it.
    from importlib.metadata import Distribution

# What torch's own libraries find each other by, in folders relative to each other. nvidia-ml-py, cuda-bindings and
# cuda-pathfinder are small Python packages of many releases: with them two torches would be one less often.
SHARED = re.compile(r"torch|triton|nvidia-(?!ml-py$).*|cuda-toolkit")
POINTER = "modelwright-shared.pth"
"""In the environment: what makes Python look into this layer too, packages and their metadata."""


def _layer(context: Context) -> Layer:
    return Layer(context.layers, "shared", launch=True)


def reuse(context: Context) -> None:
    """Keep the layer of the previous image, where it had one."""
    layer = _layer(context)
    if before := layer.metadata():
        layer.keep(before)


def split(context: Context, packages: Path, made_with: Mapping[str, str]) -> None:
    """Move the shared packages out of `packages`, the environment's site-packages, into their layer."""
    from importlib.metadata import distributions  # noqa: PLC0415

    found = [each for each in distributions(path=[str(packages)]) if SHARED.fullmatch(sbom.normal(each.name))]
    if not found:
        return
    layer = _layer(context)
    versions = sorted(f"{sbom.normal(each.name)}=={each.version}" for each in found)
    before, now = layer.metadata(), {"packages": " ".join(versions), **made_with}
    library = layer.path / "lib"
    layer.clear()
    for each in found:
        _move(each, packages, library)
    (packages / POINTER).write_text(f"{library}\n", encoding="utf-8")
    sbom.write(context, layer, library)
    size = f"{sum(path.stat().st_size for path in library.rglob('*') if path.is_file()) / 1e6:.0f} MB"
    if before == now:
        # A layer without its folder is the previous image's: it is neither packed nor sent again.
        shutil.rmtree(layer.path)
        log.info(f"Reusing {', '.join(versions)} of the previous image ({size})")
    else:
        log.info(f"In a layer that images share: {', '.join(versions)} ({size})")
    layer.keep(now)


def _move(package: "Distribution", packages: Path, library: Path) -> None:
    rows = list(csv.reader(io.StringIO(package.read_text("RECORD") or "")))
    record = next(row[0] for row in rows if row[0].endswith(".dist-info/RECORD"))
    for row in rows:
        # Scripts are the environment's, and a .pth file is read in site-packages only.
        if row[0].startswith(("..", "/")) or ("/" not in row[0] and row[0].endswith(".pth")):
            continue
        for name in (row[0], *_compiled(row[0], packages)):
            if (packages / name).is_file():
                (library / name).parent.mkdir(parents=True, exist_ok=True)
                (packages / name).rename(library / name)
    records.forget((library / record).parent)
    _remove_empty(packages, {parent for row in rows for parent in PurePosixPath(row[0]).parents})


def _compiled(name: str, packages: Path) -> list[str]:
    if not name.endswith(".py"):
        return []
    folder = packages / PurePosixPath(name).parent / "__pycache__"
    pattern = f"{PurePosixPath(name).stem}.cpython-*.pyc"
    return [str(path.relative_to(packages)) for path in folder.glob(pattern)]


def _remove_empty(packages: Path, folders: set[PurePosixPath]) -> None:
    for folder in sorted(folders, key=lambda each: -len(each.parts)):
        if folder.is_absolute() or ".." in folder.parts:
            continue
        for path in (packages / folder / "__pycache__", packages / folder):
            if path != packages and path.is_dir() and not os.listdir(path):  # noqa: PTH208
                path.rmdir()
