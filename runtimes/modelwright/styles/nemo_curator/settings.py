"""`modelwright.yaml` beside a model: its entry point and the names, datatypes and shapes of its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from modelwright.model import TensorMetadata
from modelwright.styles.catalogue import DiscoveryError
from modelwright.styles.nemo_curator.documents import read_yaml
from modelwright.tensors import NUMPY_TYPES

FILE: Final = "modelwright.yaml"
_SECTION: Final = "signatures"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says of one class; empty where it says nothing."""

    entrypoint: str | None = None
    inputs: tuple[TensorMetadata, ...] = ()
    outputs: tuple[TensorMetadata, ...] = ()


def read(folder: Path) -> dict[str, Settings]:
    """Read `signatures` of a folder's file, by class; empty without one.

    Raises:
        DiscoveryError: naming the field and what was expected.

    """
    path = folder / FILE
    if not path.is_file():
        return {}
    document = read_yaml(path)
    section = document.get(_SECTION, {}) if isinstance(document, dict) else None
    if not isinstance(section, dict):
        raise DiscoveryError(f"{path}: {_SECTION} must be a mapping of class names to signatures")
    return {str(name): _settings(f"{path}: {_SECTION}.{name}", given) for name, given in section.items()}


def _settings(where: str, given: object) -> Settings:
    if not isinstance(given, dict):
        raise DiscoveryError(f"{where} must be a mapping with entrypoint, inputs and outputs")
    for field in given:
        if field not in ("entrypoint", "inputs", "outputs"):
            raise DiscoveryError(f"{where}.{field} is unknown; there are entrypoint, inputs and outputs")
    entrypoint = given.get("entrypoint")
    if entrypoint is not None and not isinstance(entrypoint, str):
        raise DiscoveryError(f"{where}.entrypoint must be the name of a method")
    return Settings(entrypoint, _tensors(where, "inputs", given), _tensors(where, "outputs", given))


def _tensors(where: str, field: str, given: Mapping[str, Any]) -> tuple[TensorMetadata, ...]:
    listed = given.get(field, [])
    if not isinstance(listed, list):
        raise DiscoveryError(f"{where}.{field} must be a list of tensors with name, datatype and shape")
    return tuple(_tensor(f"{where}.{field}[{index}]", each) for index, each in enumerate(listed))


def _tensor(where: str, given: object) -> TensorMetadata:
    if not isinstance(given, dict) or not given.keys() <= {"name", "datatype", "shape"}:
        raise DiscoveryError(f"{where} must be a mapping with name, datatype and shape")
    name, datatype, shape = (given.get(each) for each in ("name", "datatype", "shape"))
    if not isinstance(name, str) or not name:
        raise DiscoveryError(f"{where}.name must be text")
    if datatype not in NUMPY_TYPES:
        raise DiscoveryError(f"{where}.datatype is {datatype!r}; it must be one of {', '.join(NUMPY_TYPES)}")
    if not isinstance(shape, list) or not all(type(each) is int and each >= -1 for each in shape):
        raise DiscoveryError(f"{where}.shape must be a list of whole numbers, -1 for any length, such as [-1, 3]")
    return TensorMetadata(name, str(datatype), tuple(shape))
