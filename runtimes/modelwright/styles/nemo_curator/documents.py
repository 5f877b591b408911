"""The YAML and JSON files of Curator's: which models, with what parameters, and which files of which weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from modelwright.styles.catalogue import DiscoveryError
from modelwright.styles.nemo_curator.fetching import Weights

DOWNLOADS: Final = "model_download.yaml"
ALL_MODELS: Final = "all_models.json"
_FOLDERS: Final = ("", "config", "configs")


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of model_download.yaml: a class by its dotted path, and its constructor's arguments."""

    module: str
    class_name: str
    params: Mapping[str, Any]


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """Parse a YAML file.

    Raises:
        DiscoveryError: it is no YAML, or there is no PyYAML to read it.

    """
    try:
        import yaml  # noqa: PLC0415 - only who brings such a file pays for it
    except ModuleNotFoundError:
        raise DiscoveryError(f"{path} cannot be read without PyYAML: add pyyaml to requirements.txt") from None
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DiscoveryError(f"{path} is no YAML: {error}") from None


def choices(folder: Path) -> tuple[Choice, ...]:
    """Give the models that a folder's model_download.yaml lists, in its order; none without one.

    Raises:
        DiscoveryError: naming the entry that is not `class` and `params`.

    """
    path = _found(folder, DOWNLOADS)
    if path is None:
        return ()
    document = read_yaml(path)
    listed = document.get("models") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise DiscoveryError(f"{path} must have a list 'models' with a 'class' each")
    return tuple(_choice(f"{path}: models[{index}]", each) for index, each in enumerate(listed))


def known_weights(folder: Path) -> dict[str, Weights]:
    """Give what a folder's all_models.json says of weights, by their id: cosmos-curate's files and revisions.

    Raises:
        DiscoveryError: it is no JSON object of such entries.

    """
    path = _found(folder, ALL_MODELS)
    if path is None:
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8")).values()
        found = [
            Weights(each["model_id"], tuple(each.get("filelist") or ()), each.get("version") or None)
            for each in entries
        ]
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise DiscoveryError(
            f"{path} must be a JSON object of entries with model_id, version and filelist: {error!r}"
        ) from None
    return {each.name: each for each in found}


def _found(folder: Path, name: str) -> Path | None:
    return next((folder / each / name for each in _FOLDERS if (folder / each / name).is_file()), None)


def _choice(where: str, given: object) -> Choice:
    if not isinstance(given, dict) or not isinstance(given.get("class"), str):
        raise DiscoveryError(f"{where} must have 'class', a dotted path such as my_model.MyModelClass")
    params = given.get("params") or {}
    if not isinstance(params, dict):
        raise DiscoveryError(f"{where}.params must be a mapping of the constructor's arguments")
    module, _, class_name = given["class"].rpartition(".")
    return Choice(module, class_name, {str(name): value for name, value in params.items()})
