"""Files of an author's folder that are weights: an image leaves them out unless a model is embedded with them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

SUFFIXES: Final = frozenset(
    (".pt", ".pth", ".bin", ".safetensors", ".onnx", ".h5", ".keras", ".ckpt", ".gguf", ".npz", ".npy", ".pkl",
     ".joblib", ".tflite", ".engine")
)  # fmt: skip
SMALLEST: Final = 1024 * 1024
"""Bytes. Less moves in no time, and is as often a table or a picture of the code's own."""
SETTINGS: Final = "model-settings.json"
_ELSEWHERE: Final = frozenset(("__pycache__", "node_modules", "site-packages"))


def left_out(folder: Path) -> list[tuple[Path, int]]:
    """Give the weights that are no embedded model's, and their sizes in bytes, in the order of their names.

    A model is embedded where its model-settings.json names a file or a folder beside it as `parameters.uri`.
    """
    kept = [place for each in settings(folder) for place in _embedded(each, folder)]
    found = []
    for path in _files(folder):
        if path.suffix.lower() in SUFFIXES and not path.is_symlink() and (size := path.stat().st_size) >= SMALLEST:
            resolved = path.resolve()
            if not any(resolved.is_relative_to(place) for place in kept):
                found.append((path, size))
    return found


def settings(folder: Path) -> Iterator[Path]:
    """Yield the model-settings.json of a folder and of those below it."""
    yield from (path for path in _files(folder) if path.name == SETTINGS)


def document(path: Path) -> Mapping[str, Any]:
    """Give what a settings file holds; nothing where it is no object, which the server's start says better."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _embedded(path: Path, folder: Path) -> Iterator[Path]:
    parameters = document(path).get("parameters")
    uri = parameters.get("uri") if isinstance(parameters, dict) else None
    if isinstance(uri, str) and uri and "://" not in uri:
        place = (path.parent / uri).resolve()
        if place.is_relative_to(folder.resolve()):
            yield place


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _ELSEWHERE and not name.startswith("."))
        if "pyvenv.cfg" in files:
            folders[:] = []
            continue
        yield from (Path(parent, name) for name in sorted(files))
