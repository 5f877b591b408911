"""The hash by which an unchanged folder is recognised."""

import hashlib
import tomllib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path


def excludes(folder: Path) -> list[str]:
    """Return the patterns that the folder's project.toml keeps out of the image."""
    descriptor = folder / "project.toml"
    if not descriptor.is_file():
        return []
    content = tomllib.loads(descriptor.read_text(encoding="utf-8"))
    found = content.get("io", {}).get("buildpacks", {}).get("exclude", [])
    return [str(pattern) for pattern in found]


def _excluded(relative: str, patterns: Sequence[str]) -> bool:
    """Apply a subset of .gitignore's rules, wide enough for ours; a file counted in needlessly only costs a rebuild."""
    parts = relative.split("/")
    for pattern in (raw.rstrip("/") for raw in patterns):
        if pattern.startswith("/") or "/" in pattern:
            anchored = pattern.lstrip("/")
            if fnmatch(relative, anchored) or relative.startswith(anchored + "/"):
                return True
        elif any(fnmatch(part, pattern) for part in parts):
            return True
    return False


def digest(folder: Path, *, ignored: Iterable[str] = ()) -> str:
    """Hash names, modes and contents of every file that would be in the image."""
    patterns = [*excludes(folder), *ignored]
    total = hashlib.sha256()
    for path in sorted(_walk(folder, "", patterns)):
        relative = path.relative_to(folder).as_posix()
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        executable = b"x" if path.stat(follow_symlinks=False).st_mode & 0o100 else b"-"
        total.update(relative.encode() + b"\0" + executable + hashlib.sha256(content).digest())
    return total.hexdigest()


def _walk(folder: Path, prefix: str, patterns: Sequence[str]) -> Iterable[Path]:
    for path in folder.iterdir():
        relative = f"{prefix}{path.name}"
        if _excluded(relative, patterns):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, relative + "/", patterns)
        else:
            yield path
