"""Finding loaders: by mil_config.json, by the `*ModelLoader` suffix, or by name."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from modelwright.styles.catalogue import Discovered, DiscoveryError, Wanted
from modelwright.styles.detect import sources
from modelwright.styles.infosys.adapter import InfosysModel, Loader
from modelwright.styles.infosys.config import FILE, Config, read
from modelwright.styles.source import Source

_SUFFIX: Final = "ModelLoader"


def discover(wanted: Wanted) -> Discovered:
    """Make a model of the class that was named, else of the one that mil_config.json selects, else of each loader.

    Raises:
        DiscoveryError: there is no such class, or the library's own models are asked for.

    """
    folder = wanted.path if wanted.path.is_dir() else wanted.path.parent
    config = read(folder)
    kinds = list(_kinds(wanted.path, config))
    chosen = _named(kinds, wanted.class_name or (config.class_name if config.file else None), wanted.path)
    if not chosen:
        raise DiscoveryError(
            f"{wanted.path} has no loader: a class whose name ends in {_SUFFIX}, a subclass of BaseModelLoader. "
            f"For a model that the library itself brings, install the library and name a loader file in {FILE}"
        )
    if wanted.model_name and len(chosen) > 1:
        names = ", ".join(kind.__name__ for kind in chosen)
        raise DiscoveryError(f"--model_name is for one model; {wanted.path} has {names}: name one as PATH:CLASS")
    models = [InfosysModel(_loader(kind, wanted, config)) for kind in chosen]
    return Discovered(models, {"http_port": config.port} if config.port else {})


def _kinds(path: Path, config: Config) -> Iterator[type[Any]]:
    """Import the files that hold loaders, told by their source, and yield those classes."""
    selected = config.file if path.is_dir() else None
    files = [selected] if selected else [each.path for each in sources(path) if _holds(each)]
    for file in files:
        module = _import(file)
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__ and name.endswith(_SUFFIX) and not inspect.isabstract(kind):
                yield kind


def _holds(source: Source) -> bool:
    return any(each.name.endswith(_SUFFIX) for each in source.classes)


def _import(file: Path) -> ModuleType:
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    return importlib.import_module(file.stem)


def _named(kinds: list[type[Any]], name: str | None, path: Path) -> list[type[Any]]:
    if name is None:
        return kinds
    found = [kind for kind in kinds if kind.__name__ == name]
    if not found:
        there = ", ".join(kind.__name__ for kind in kinds) or "none"
        raise DiscoveryError(f"{path} has no class {name!r} that is a loader; it has {there} (names end in {_SUFFIX})")
    return found


def _loader(kind: type[Any], wanted: Wanted, config: Config) -> Loader:
    selected = config.model_name if kind.__name__ == config.class_name else None
    section = selected or kind.__name__
    return Loader(
        kind=kind,
        name=wanted.model_name or section,
        section=section,
        config=config.whole,
        driver=config.driver,
        endpoint=config.endpoint if selected or config.model_name is None else None,
    )
