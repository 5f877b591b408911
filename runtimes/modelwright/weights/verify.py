"""Checks between a source that may lie and a disk that is finite."""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from modelwright.weights import manifest, partial
from modelwright.weights.errors import WeightsError
from modelwright.weights.progress import human
from modelwright.weights.source import Item

_RESERVED = frozenset({partial.NAME, manifest.NAME})
_DRIVE = re.compile(r"^[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NAME_MAX = 255
_RESERVE = 16 * 1024 * 1024
"""Bytes left free beyond the files themselves: directories, the manifest, other writers' logs."""


def relative(name: str) -> str:
    r"""Return `name` as a path that stays below any folder it is joined to, with empty segments dropped.

    Raises `ValueError` with the reason for `..` and `.` segments (between `/` or `\`), absolute paths, drive
    letters, NUL and other control characters, segments over 255 bytes, an empty name and our own dot names.
    """
    if _CONTROL.search(name):
        raise ValueError("has a NUL or control character")
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        raise ValueError("is an absolute path")
    if any(part in {".", ".."} for part in re.split(r"[/\\]", name)):
        raise ValueError("has a . or .. segment")
    parts = [part for part in name.split("/") if part]
    if not parts:
        raise ValueError("is empty")
    if any(len(os.fsencode(part)) > _NAME_MAX for part in parts):
        raise ValueError(f"has a segment of more than {_NAME_MAX} bytes")
    if parts[0] in _RESERVED:
        raise ValueError("is a name that the storage initializer keeps for itself")
    return "/".join(parts)


def contained(root: Path, name: str) -> Path:
    """Return `root/name`. Raises `ValueError` where that would leave `root` or go through a symbolic link."""
    path = root
    parts = relative(name).split("/")
    for part in parts[:-1]:
        path /= part
        if path.is_symlink():
            raise ValueError(f"goes through the symbolic link {path}")
    return path / parts[-1]


def names(uri: str, items: Iterable[Item]) -> None:
    """Check where the items would go. Raises `WeightsError` for a path that escapes or is taken."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for item in items:
        try:
            name = relative(item.name)
        except ValueError as reason:
            raise WeightsError(
                uri, f"the object {item.key!r} {reason}", "Rename or remove that object, then try again."
            ) from None
        parents = ["/".join(name.split("/")[:depth]) for depth in range(1, name.count("/") + 1)]
        clash = files.get(name) or folders.get(name) or next((files[p] for p in parents if p in files), None)
        if clash is not None:
            raise WeightsError(
                uri,
                f"the objects {clash!r} and {item.key!r} would be one path on disk",
                "Rename or remove one of them: a folder cannot have the name of a file.",
            )
        files[name] = item.key
        folders.update(dict.fromkeys(parents, item.key))


def total(items: Sequence[Item]) -> int | None:
    """Return the bytes of all items, or None where the size of one is unknown."""
    sizes = [item.size for item in items if item.size is not None]
    return sum(sizes) if len(sizes) == len(items) else None


def free(folder: Path) -> int:
    """Return the bytes that this user may still write to the volume of `folder`, less a small reserve."""
    volume = os.statvfs(folder)
    return max(0, volume.f_bavail * volume.f_frsize - _RESERVE)


def space(uri: str, needed: int, folder: Path) -> None:
    """Raise `WeightsError` when the volume of `folder` has not `needed` bytes left."""
    room = free(folder)
    if needed > room:
        raise WeightsError(
            uri,
            f"needs {human(needed)} and the volume at {folder} has {human(room)} left",
            "Give the node more disk or the model a pvc:// volume that is large enough.",
        )


def sizes(uri: str, items: Iterable[Item], root: Path) -> None:
    """Raise `WeightsError` unless every item is a file of its size below `root`."""
    for item in items:
        path = contained(root, item.name)
        found = path.stat().st_size if path.is_file() else None
        if found is None or (item.size is not None and found != item.size):
            raise WeightsError(
                uri,
                f"{item.key!r} should have {item.size} bytes and {found} arrived",
                "Try again; if it repeats, a proxy between the pod and the storage truncates.",
            )


def digest(path: Path) -> str:
    """Return the SHA-256 of the file, in lower-case hex, reading it in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(uri: str, items: Iterable[Item], root: Path) -> None:
    """Raise `WeightsError` where an item's source stated a SHA-256 and the file has another."""
    for item in items:
        if item.sha256 is None:
            continue
        found = digest(contained(root, item.name))
        if found != item.sha256.lower():
            raise WeightsError(
                uri,
                f"{item.key!r} has the SHA-256 {found}, not {item.sha256.lower()}",
                "The file was changed or damaged: check the stated digest, or upload the file again.",
            )
