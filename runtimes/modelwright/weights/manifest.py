"""What was fetched, kept beside the files so that a restarted container does not fetch it again."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from modelwright.weights.errors import redact
from modelwright.weights.selection import Selection
from modelwright.weights.source import Item

NAME = ".modelwright.json"
"""One hidden file: a folder could be taken for a model by servers that list `/mnt/models`."""


def identity(uri: str, items: Iterable[Item]) -> str:
    """Return one hash for a URI with the keys, sizes and etags behind it: equal means nothing has changed."""
    facts = [uri, *sorted([item.key, item.name, item.size, item.etag] for item in items)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def read(target: Path) -> Mapping[str, Any]:
    """Return the target's manifest, empty where there is none that can be read."""
    try:
        content = json.loads((target / NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def complete(target: Path, uri: str, items: Sequence[Item]) -> bool:
    """Say whether the target already holds these items: same etags at the source, same sizes on disk."""
    if any(item.etag is None for item in items):
        return False
    stored = read(target)
    return stored.get("identity") == identity(uri, items) and _whole(target, stored)


def holds(target: Path, uri: str, selection: Selection) -> bool:
    """Say, without asking the source, whether the target holds what was once fetched from this URI, all of it."""
    stored = read(target)
    return (stored.get("uri"), stored.get("selection")) == (redact(uri), _listed(selection)) and _whole(target, stored)


def write(target: Path, uri: str, items: Sequence[Item], files: Iterable[str], selection: Selection) -> None:
    """Write the manifest, whole or not at all. `files` are the published paths below the target."""
    content = {
        "uri": redact(uri),
        "selection": _listed(selection),
        "identity": identity(uri, items),
        "objects": [{"key": item.key, "size": item.size, "etag": item.etag} for item in items],
        "files": {name: _size(target / name) for name in sorted(files)},
    }
    draft = target / f"{NAME}.new"
    draft.write_text(json.dumps(content, indent=1))
    draft.replace(target / NAME)


def _whole(target: Path, stored: Mapping[str, Any]) -> bool:
    return all(_size(target / name) == size for name, size in stored.get("files", {}).items())


def _listed(selection: Selection) -> list[list[str]]:
    return [list(each) for each in astuple(selection)]


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
