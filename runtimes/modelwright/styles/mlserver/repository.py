"""`model-settings.json`: one in a model's folder, or one each in the folders of a repository."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from modelwright.server import log
from modelwright.styles.catalogue import DiscoveryError
from modelwright.styles.mlserver import defaults
from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.settings import ModelSettings
from modelwright.styles.mlserver.server_settings import document_of

FILE: Final = "model-settings.json"
_FIELDS: Final = frozenset({*ModelSettings.DEFAULTS, "implementation", "parameters", "model"})
# Where no author keeps a model.
_ELSEWHERE: Final = frozenset({"__pycache__", "node_modules", "site-packages"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A model's settings, and the folder that its code is in."""

    settings: Foreign
    folder: Path
    where: str


def entries(root: Path, library: Foreign) -> list[Entry]:
    """Return the models under a folder; without files, the one that `MLSERVER_MODEL_*` describe, if they do.

    Raises:
        DiscoveryError: a file cannot be served as it is written, or two are of one name.

    """
    found = _mounted(root, library) or [
        _of_document(path, defaults.weaker(document_of(path), path.parent, "MLSERVER_MODEL_"), path.parent, library)
        for path in sorted(_files(root))
    ]
    if not found:
        settings = library.settings.ModelSettings(**_from_environment())
        return [_finished(settings, root, "MLSERVER_MODEL_*", library)] if settings.implementation_ else []
    by_name: dict[str, Entry] = {}
    for each in found:
        other = by_name.setdefault(each.settings.name, each)
        if other is not each:
            raise DiscoveryError(
                f"{other.where} and {each.where} are both of a model {each.settings.name!r} (versions "
                f"{other.settings.version} and {each.settings.version}): one is served under a name; rename one"
            )
    return found


def _from_environment() -> dict[str, Any]:
    # The genuine class demands an implementation, wherever it comes from.
    name = ModelSettings().implementation_
    return {"implementation": name} if name else {"implementation": ""}


def _files(root: Path) -> Sequence[Path]:
    found = []
    for parent, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if name not in _ELSEWHERE and name[0] != "." and not Path(parent, name, "pyvenv.cfg").exists()
        ]
        if FILE in files:
            found.append(Path(parent, FILE))
    return found


def _mounted(root: Path, library: Foreign) -> list[Entry]:
    """Return the models that are mounted into an image, whose own settings and code are behind theirs."""
    mount = defaults.mounted(root)
    if mount is None:
        return []
    own = root / FILE
    behind = defaults.weaker(document_of(own), root, "MLSERVER_MODEL_") if own.is_file() else {}
    found = []
    for path in sorted(_files(mount)):
        document = document_of(path)
        whole = defaults.under(document, behind)
        whole["parameters"].setdefault("uri", str(path.parent))
        whole.setdefault("name", whole.get("model") or path.parent.name)
        found.append(_of_document(path, whole, path.parent if "implementation" in document else root, library))
    return found


def _of_document(path: Path, document: dict[str, Any], folder: Path, library: Foreign) -> Entry:
    """Make an entry of the settings in `path`, whose class is in a module of `folder`."""
    _look_over(path, document)
    if "name" not in document and isinstance(document.get("model"), str):
        log.LOGGER.warning('%s: read "model" as "name", which is what MLServer calls it', path)
        document["name"] = document["model"]
    document.pop("model", None)
    try:
        settings = library.settings.ModelSettings.model_validate(document)
    except ValueError as error:
        raise DiscoveryError(f"{path}: {error}") from None
    if not settings.implementation_:
        raise DiscoveryError(f'{path} names no class: add "implementation": "models.MyRuntime", a path in its folder')
    settings._source = str(path)
    return _finished(settings, folder, str(path), library)


def _look_over(path: Path, document: Mapping[str, Any]) -> None:
    """Say what in a file has no effect."""
    for field in document.keys() - _FIELDS:
        near = get_close_matches(field, _FIELDS, 1)
        log.LOGGER.warning("%s: %r has no effect%s", path, field, f"; did you mean {near[0]!r}?" if near else "")


def _finished(settings: Foreign, folder: Path, where: str, library: Foreign) -> Entry:
    """Fill in what MLServer takes from the folder: the name, and where the model's files are."""
    settings.name = settings.name or folder.name
    if not settings.parameters:
        settings.parameters = library.settings.ModelParameters()
    if not settings.parameters.uri:
        settings.parameters.uri = str(folder)
    return Entry(settings, folder, where)
