"""Which of the five styles a file or a folder is written in, told without running any of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from modelwright.styles.source import Source, UnreadableSource, read

# Where no author keeps a model, and where reading would take long.
_ELSEWHERE: Final = frozenset({"__pycache__", "node_modules", "site-packages", "tests", "test"})
_MOST_FILES: Final = 500


class Weight(IntEnum):
    """How much a sign tells: an import may be a helper's, a subclass is what gets served."""

    IMPORT = 1
    FILE = 2
    CLASS = 3


@dataclass(frozen=True, slots=True)
class Signs:
    """What one style leaves behind: packages that its files import, names that its classes or calls use, files."""

    packages: tuple[str, ...]
    names: tuple[str, ...]
    files: tuple[str, ...] = ()


SIGNS: Final[Mapping[str, Signs]] = {
    "kserve": Signs(("kserve", "ray.serve"), ("Model", "ModelServer", "RayModel", "deployment")),
    "mlserver": Signs(("mlserver",), ("MLModel",), ("model-settings.json",)),
    "nos": Signs(("nos",), ("ModelSpec", "ModelSpec.from_cls", "ModelManager"), ("serve.yaml",)),
    "nemo_curator": Signs(
        ("nemo_curator", "cosmos_curate", "cosmos_curator"), ("ModelInterface",), ("model_download.yaml",)
    ),
    "infosys": Signs(("modelloader", "milapi", "milutils"), ("BaseModelLoader",), ("mil_config.json",)),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing seen, and the style that it speaks for."""

    style: str
    weight: Weight
    what: str


class UnknownStyle(Exception):
    """No style, or more than one, fits what was seen; the message says what that was and how to choose."""


def detect(target: Path) -> Evidence:
    """Give the strongest evidence for the one style that `target`, a Python file or a folder, is written in.

    Raises:
        UnknownStyle: there is no sign of a style, or there are equally strong signs of several.

    """
    seen = sorted(evidence(target), key=lambda each: -each.weight)
    if not seen:
        raise UnknownStyle(
            f"{target} shows none of the styles {', '.join(SIGNS)}: no import of theirs, no class of theirs, "
            "no file of theirs. Name the style with --style, or the class with module:Class"
        )
    best = [each for each in seen if each.weight == seen[0].weight]
    if len({each.style for each in best}) > 1:
        said = "; ".join(f"{each.style}: {each.what}" for each in {each.style: each for each in best}.values())
        raise UnknownStyle(f"{target} could be of more than one style ({said}). Name the one to serve with --style")
    return best[0]


def evidence(target: Path) -> Iterator[Evidence]:
    """Yield every sign of a style in a file or a folder, in the order of the files' names."""
    if target.is_dir():
        for style, signs in SIGNS.items():
            yield from (
                Evidence(style, Weight.FILE, path.name) for name in signs.files for path in _named(target, name)
            )
    for source in sources(target):
        for style, signs in SIGNS.items():
            yield from _in_source(style, signs, source)


def sources(target: Path) -> Iterator[Source]:
    """Yield the Python files of `target`, parsed; one that is not Python is left out, as Python itself would."""
    files = [target] if target.is_file() else list(python_files(target))
    for path in files:
        try:
            yield read(path)
        except UnreadableSource:
            if path == target:
                raise


def _named(folder: Path, name: str) -> Iterator[Path]:
    # Directly in it, or one level down, as in a repository of models.
    yield from (path for path in (folder / name, *sorted(folder.glob(f"*/{name}"))) if path.is_file())


def python_files(folder: Path) -> Iterator[Path]:
    """Yield an author's Python files: no tests, no installed packages, nothing hidden."""
    count = 0
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _ELSEWHERE and not name.startswith("."))
        if (Path(parent) / "pyvenv.cfg").exists():
            folders[:] = []
            continue
        for name in sorted(files):
            if name.endswith(".py") and count < _MOST_FILES:
                count += 1
                yield Path(parent, name)


def _in_source(style: str, signs: Signs, source: Source) -> Iterator[Evidence]:
    def theirs(dotted: str) -> bool:
        return any(dotted == package or dotted.startswith(f"{package}.") for package in signs.packages)

    for each in source.classes:
        for base in each.bases:
            if theirs(base) and base.rpartition(".")[2] in signs.names:
                yield Evidence(style, Weight.CLASS, f"{source.path.name}:{each.line}: class {each.name}({base})")
    for called in sorted(source.calls):
        if theirs(called) and any(called.endswith(f".{name}") for name in signs.names):
            yield Evidence(style, Weight.CLASS, f"{source.path.name}: {called}(...)")
    for imported in sorted(source.imports):
        if theirs(imported):
            yield Evidence(style, Weight.IMPORT, f"{source.path.name}: import of {imported}")
