"""Finding Curator models: by model_download.yaml, by name, or every subclass of ModelInterface."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from modelwright.model import Model
from modelwright.styles.catalogue import Discovered, DiscoveryError, Wanted
from modelwright.styles.detect import SIGNS, sources
from modelwright.styles.nemo_curator import (
    documents,
    environment,
    guards,
    own_environment,
    place,
    settings,
    signature,
)
from modelwright.styles.nemo_curator.adapter import Authored, CuratorModel
from modelwright.styles.nemo_curator.documents import Choice
from modelwright.styles.nemo_curator.fetching import Weights
from modelwright.styles.nemo_curator.settings import Settings
from modelwright.styles.source import Source
from modelwright.styles.substitutes import LIBRARIES

_INTERFACE: Final = "ModelInterface"
_PACKAGES: Final = (*SIGNS["nemo_curator"].packages, *(LIBRARIES[each] for each in SIGNS["nemo_curator"].packages))
_WEIGHTS_FOLDER: Final = "model_dir"


@dataclass(frozen=True, slots=True)
class Found:
    """A class, the constructor's arguments that model_download.yaml has for it, and what to tell the log of it."""

    kind: type[Any]
    params: Mapping[str, Any]
    notes: tuple[str, ...]


def discover(wanted: Wanted) -> Discovered:
    """Make a model of the class that was named, else of those in model_download.yaml, else of each that is whole.

    Raises:
        DiscoveryError: there is no such class, or it cannot be made, or its file needs what is not installed.

    """
    folder = wanted.path if wanted.path.is_dir() else wanted.path.parent
    found = list(_found(wanted, folder))
    whole = [(name, each) for name, each in found if not (isinstance(each, Found) and inspect.isabstract(each.kind))]
    if not whole:
        raise DiscoveryError(_nothing(wanted, [each for _, each in found], folder))
    if wanted.model_name and len(whole) > 1:
        names = ", ".join(name for name, _ in whole)
        raise DiscoveryError(f"--model_name is for one model; {wanted.path} has {names}: name one as PATH:CLASS")
    configured, known = settings.read(folder), documents.known_weights(folder)
    return Discovered([_model(each, wanted.model_name, configured, known) for _, each in whole])


def _model(
    found: Found | Model, name: str | None, configured: Mapping[str, Settings], known: Mapping[str, Weights]
) -> Model:
    if not isinstance(found, Found):
        return found
    kind = found.kind
    authored = Authored(
        kind=kind,
        name=name or kind.__name__,
        params=_params(kind, found.params),
        signature=signature.of(kind, configured.get(kind.__name__, Settings())),
        known=known,
        notes=found.notes,
    )
    return CuratorModel(authored)


def _nothing(wanted: Wanted, found: Iterable[Found | Model], folder: Path) -> str:
    for each in (each for each in found if isinstance(each, Found)):
        missing = ", ".join(sorted(each.kind.__abstractmethods__))
        return f"{wanted.path}: class {each.kind.__name__} lacks {missing}, which {_INTERFACE} asks for"
    named = wanted.class_name or ", ".join(each.class_name for each in documents.choices(folder))
    which = f"no class {named}" if named else "no class"
    return f"{wanted.path} has {which} that inherits {_INTERFACE} of nemo_curator or cosmos_curate"


def _found(wanted: Wanted, folder: Path) -> Iterator[tuple[str, Found | Model]]:
    chosen = documents.choices(folder)
    listed = chosen if wanted.class_name is None and wanted.path.is_dir() else ()
    for source in sources(wanted.path):
        params = {each.class_name: each.params for each in chosen if _is_of(each, source)}
        names = {wanted.class_name} if wanted.class_name else set(params) if listed else set()
        if not _may_hold(source, names, all_of_it=not listed):
            continue
        read = guards.read(source.path)
        elsewhere = dict(own_environment.apart(source, read, names, wanted))
        yield from elsewhere.items()
        if elsewhere and not _more_than(source, names, elsewhere):
            # What it imports may be in the other environment only.
            continue
        environment.serve(sorted(read.held))
        for kind in _models_of(_imported(source.path, read)):
            if kind.__name__ not in elsewhere and (not names or kind.__name__ in names):
                yield kind.__name__, Found(kind, params.get(kind.__name__, {}), tuple(_notes(read)))


def _may_hold(source: Source, names: Collection[str], *, all_of_it: bool) -> bool:
    """Tell by its source whether a file is to be imported: nothing that is not served needs to run."""
    if names:
        return any(each.name in names for each in source.classes)
    packages = SIGNS["nemo_curator"].packages
    imports = any(each.partition(".")[0] in packages for each in source.imports)
    return all_of_it and imports and bool(source.classes)


def _more_than(source: Source, names: Collection[str], elsewhere: Collection[str]) -> bool:
    here = (each for each in source.classes if each.name not in elsewhere and (not names or each.name in names))
    return any(base.rpartition(".")[2] == _INTERFACE for each in here for base in each.bases)


def _is_of(choice: Choice, source: Source) -> bool:
    # The dotted path may be the one inside Curator's own source tree, where its tutorial has models put.
    stem = choice.module.rpartition(".")[2]
    return stem == source.path.stem and any(each.name == choice.class_name for each in source.classes)


def _models_of(module: ModuleType) -> Iterable[type[Any]]:
    """Give a module's own subclasses of any generation's ModelInterface, in the order of their writing."""
    kinds = [kind for kind in vars(module).values() if inspect.isclass(kind) and kind.__module__ == module.__name__]
    return [kind for kind in dict.fromkeys(kinds) if any(_is_interface(each) for each in kind.__mro__[1:])]


def _is_interface(kind: type[Any]) -> bool:
    return kind.__name__ == _INTERFACE and kind.__module__.startswith(tuple(f"{each}." for each in _PACKAGES))


def _notes(read: guards.Guards) -> Iterator[str]:
    if read.mistaken:
        yield (
            f"imports guarded for {_quoted(read.guarded)} were made, though the class names the environment "
            f"{_quoted(read.environments)}; write one name for both"
        )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))


def _imported(file: Path, read: guards.Guards) -> ModuleType:
    """Import a file under the name that its folders give it, so that its relative imports work."""
    parts, folder = [file.stem], file.parent
    while (folder / "__init__.py").is_file():
        parts, folder = [folder.name, *parts], folder.parent
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(".".join(parts))
    except ModuleNotFoundError as error:
        raise DiscoveryError(_missing(error, file, read)) from error


def _missing(error: ModuleNotFoundError, file: Path, read: guards.Guards) -> str:
    name = error.name or str(error)
    if name.partition(".")[0] in SIGNS["nemo_curator"].packages:
        return (
            f"{file} imports {name}, which is not among what Modelwright answers for: ModelInterface, model_utils and "
            "conda_utils. Install the library itself for it"
        )
    held = _quoted(read.held)
    guarded = f" Its imports guarded for {held} are made, since its model is served here." if held else ""
    return f"{file} imports {name}, which is not installed.{guarded} Add it to requirements.txt"


def _params(kind: type[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Complete the constructor's arguments: the second generation is told where weights are.

    Raises:
        DiscoveryError: one is missing or unknown.

    """
    wanted = inspect.signature(kind)
    params = dict(given)
    if _WEIGHTS_FOLDER in wanted.parameters and not params.get(_WEIGHTS_FOLDER):
        default = wanted.parameters[_WEIGHTS_FOLDER].default
        if default in (inspect.Parameter.empty, "", None):
            params[_WEIGHTS_FOLDER] = str(place.root())
    try:
        wanted.bind(**params)
    except TypeError as error:
        raise DiscoveryError(
            f"{kind.__name__}{wanted}: {error}; give it under params of the class in {documents.DOWNLOADS}"
        ) from None
    return params
