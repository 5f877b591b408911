"""`mil_config.json`: which loader, from which file, under which path, and a section a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from modelwright.styles.catalogue import DiscoveryError

FILE: Final = "mil_config.json"
_DRIVER: Final = "predict_request"


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file, as loaders get it, and what the server reads of it.

    `file` is the Python file of the model that it selects, None where it selects none.
    """

    whole: Mapping[str, Any]
    model_name: str | None = None
    class_name: str | None = None
    file: Path | None = None
    driver: str = _DRIVER
    endpoint: str | None = None
    port: int | None = None


def read(folder: Path) -> Config:
    """Read a folder's file; without one, a configuration that selects nothing.

    Raises:
        DiscoveryError: it is no JSON object, or a field is not what the library's documents say.

    """
    path = folder / FILE
    if not path.is_file():
        return Config({})
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DiscoveryError(f"{path} is no JSON: {error}") from None
    if not isinstance(whole, dict):
        raise DiscoveryError(
            f"{path} holds no JSON object; expected the sections ModelExecutor, ModelLoader and FastAPI"
        )
    executor, loader, api = (_section(path, whole, name) for name in ("ModelExecutor", "ModelLoader", "FastAPI"))
    model_name = _text(path, executor, "ModelExecutor", "model_name")
    endpoint = _text(path, api, "FastAPI", "endpoint")
    if endpoint is not None and not endpoint.startswith("/"):
        raise DiscoveryError(f"{path}: FastAPI.endpoint {endpoint!r} must begin with '/'")
    return Config(
        whole=whole,
        model_name=model_name,
        class_name=_text(path, loader, "ModelLoader", "class_name") or model_name,
        file=_file(path, executor, loader),
        driver=_text(path, loader, "ModelLoader", "first_method_to_call_in_class") or _DRIVER,
        endpoint=endpoint,
        port=_port(path, api),
    )


def _file(path: Path, executor: Mapping[str, Any], loader: Mapping[str, Any]) -> Path | None:
    module = _text(path, executor, "ModelExecutor", "model_loader_file")
    if module is None or module == "default":
        return None
    location = _text(path, loader, "ModelLoader", "file_location") or "."
    file = (path.parent / location / f"{module.removesuffix('.py')}.py").resolve()
    if not file.is_file():
        raise DiscoveryError(
            f"{path}: ModelExecutor.model_loader_file {module!r} is not in ModelLoader.file_location {location!r}"
        )
    return file


def _section(path: Path, whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = whole.get(name, {})
    if not isinstance(section, dict):
        raise DiscoveryError(f"{path}: {name} must be an object")
    return section


def _text(path: Path, section: Mapping[str, Any], name: str, field: str) -> str | None:
    value = section.get(field)
    if value is not None and not isinstance(value, str):
        raise DiscoveryError(f"{path}: {name}.{field} must be text")
    return value or None


def _port(path: Path, api: Mapping[str, Any]) -> int | None:
    value = api.get("port")
    if value is None:
        return None
    if not str(value).isdigit() or not 0 < int(value) <= 65535:
        raise DiscoveryError(f"{path}: FastAPI.port {value!r} must be a number from 1 to 65535")
    return int(value)
