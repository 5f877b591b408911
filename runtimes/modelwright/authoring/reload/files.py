"""The files of an author's that are watched, and what a change of them comes to."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from modelwright.authoring.errors import Mistake
from modelwright.authoring.reload.compare import Difference, compare
from modelwright.styles.detect import SIGNS, python_files

# What says how a model is served, besides its code. Weights are not watched: a model may write beside its files.
SETTINGS: Final = frozenset(
    {
        *(name for signs in SIGNS.values() for name in signs.files),
        *("Procfile", ".env", "settings.json", "modelwright.yaml", "all_models.json", "environment.yaml", "conda.yaml"),
    }
)
Texts = Mapping[Path, bytes]


@dataclass(frozen=True, slots=True)
class Changed:
    """One file that changed; `source` is its text now, empty where it is gone."""

    path: Path
    source: str
    difference: Difference


def watched(name: str) -> bool:
    """Tell whether a file of this name matters."""
    return name.endswith(".py") or name in SETTINGS


def texts(folder: Path) -> dict[Path, bytes]:
    """Read all files that matter."""
    settings = (each for pattern in ("*", "*/*") for each in folder.glob(pattern) if each.name in SETTINGS)
    found = {}
    for path in (*python_files(folder), *settings):
        try:
            found[path] = path.read_bytes()
        except OSError:
            # An editor has just moved it away, and will put another in its place.
            continue
    return found


def changes(folder: Path, before: Texts, after: Texts) -> list[Changed]:
    """Compare two readings of a folder.

    Raises:
        Mistake: a file is no Python now; the message names it and the line.

    """
    paths = sorted({path for path in (*before, *after) if before.get(path) != after.get(path)})
    return [_change(path, str(path.relative_to(folder)), before.get(path), after.get(path)) for path in paths]


def _change(path: Path, name: str, before: bytes | None, after: bytes | None) -> Changed:
    if path.suffix != ".py":
        return Changed(path, "", Difference(f"{name} changed"))
    if before is None or after is None:
        source = (after or b"").decode("utf-8", "replace")
        return Changed(path, source, Difference(f"{name} is {'gone' if after is None else 'new'}"))
    new = _parsed(name, after)
    try:
        old = _parsed(name, before)
    except Mistake:
        return Changed(path, after.decode(), Difference(f"{name} was no Python before"))
    return Changed(path, after.decode(), compare(name, old, new))


def _parsed(name: str, text: bytes) -> ast.Module:
    try:
        return ast.parse(text.decode("utf-8"))
    except SyntaxError as error:
        raise Mistake(f"{name}:{error.lineno}: {error.msg}") from None
    except ValueError:
        raise Mistake(f"{name} is not UTF-8 text") from None
