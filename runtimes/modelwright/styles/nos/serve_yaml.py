"""`serve.yaml`: models by id, each a class of a file, and how it is made and deployed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from modelwright.styles.catalogue import DiscoveryError

FILE: Final = "serve.yaml"
_FIELDS: Final = frozenset(
    {"model_cls", "model_path", "default_method", "init_args", "init_kwargs", "runtime_env", "deployment"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One model; `packages` are those of the image that `runtime_env` names."""

    id: str
    file: Path
    class_name: str
    default_method: str | None
    init_args: tuple[Any, ...]
    init_kwargs: Mapping[str, Any]
    packages: tuple[str, ...]
    replicas: int


def read(path: Path) -> list[Entry]:
    """Read a file.

    Raises:
        DiscoveryError: naming the field that is missing or wrong, and what was expected.

    """
    try:
        import yaml  # noqa: PLC0415 - only who has such a file needs it
    except ImportError:
        raise DiscoveryError(f"{path} is YAML, and PyYAML is not installed; install modelwright[server]") from None
    try:
        whole = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DiscoveryError(f"{path} is no YAML: {error}") from None
    whole = _object(path, "the file", whole)
    images = _object(path, "images", whole.get("images") or {})
    models = _object(path, "models", whole.get("models") or {})
    if not models:
        raise DiscoveryError(f"{path} has no models; expected models: {{id: {{model_cls, model_path}}}}")
    return [_entry(path, str(name), _object(path, f"models.{name}", entry), images) for name, entry in models.items()]


def _entry(path: Path, name: str, entry: Mapping[str, Any], images: Mapping[str, Any]) -> Entry:
    where = f"models.{name}"
    unknown = sorted(entry.keys() - _FIELDS)
    if unknown:
        raise DiscoveryError(
            f"{path}: {where} has unknown fields {', '.join(unknown)}; it may have {', '.join(sorted(_FIELDS))}"
        )
    if "model_cls" not in entry or "model_path" not in entry:
        raise DiscoveryError(
            f"{path}: {where} has no model_cls and model_path, so it is one of NOS's own models, which are not here; "
            "write its class, and name the class and its file"
        )
    file = (path.parent / str(entry["model_path"])).resolve()
    if not file.is_file():
        raise DiscoveryError(f"{path}: {where}.model_path {entry['model_path']!r} is not beside it")
    init_args = entry.get("init_args") or []
    if not isinstance(init_args, list):
        raise DiscoveryError(f"{path}: {where}.init_args must be a list")
    deployment = _object(path, f"{where}.deployment", entry.get("deployment") or {})
    return Entry(
        name,
        file,
        str(entry["model_cls"]),
        str(entry["default_method"]) if entry.get("default_method") else None,
        tuple(init_args),
        _object(path, f"{where}.init_kwargs", entry.get("init_kwargs") or {}),
        _packages(path, where, entry.get("runtime_env"), images),
        _replicas(path, where, deployment.get("num_replicas", 1)),
    )


def _packages(path: Path, where: str, environment: object, images: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the packages of an image, whose variables become this process's where it has none of their names."""
    if environment is None:
        return ()
    if not isinstance(environment, str) or environment not in images:
        known = ", ".join(map(str, images)) or "none"
        raise DiscoveryError(f"{path}: {where}.runtime_env {environment!r} is none of images: {known}")
    image = _object(path, f"images.{environment}", images[environment] or {})
    for key, value in _object(path, f"images.{environment}.env", image.get("env") or {}).items():
        os.environ.setdefault(str(key), str(value))
    listed = image.get("pip") or []
    if isinstance(listed, str):
        file = path.parent / listed
        if not file.is_file():
            raise DiscoveryError(f"{path}: images.{environment}.pip {listed!r} is not beside it")
        lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
        return tuple(line for line in lines if line and not line.startswith("-"))
    return tuple(map(str, listed))


def _replicas(path: Path, where: str, count: object) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise DiscoveryError(f"{path}: {where}.deployment.num_replicas {count!r} must be a whole number from 1 on")
    return count


def _object(path: Path, where: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DiscoveryError(f"{path}: {where} must be an object")
    return value
