"""What of an author's folder goes into an image: which files, what they hash to, and an archive of them."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tarfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from modelwright.images.errors import ImageError
from modelwright.styles import weight_files
from modelwright.styles.detect import SIGNS, evidence, python_files

LEFT_OUT: Final = ("__pycache__", ".git", ".venv", "/.modelwright")
"""What no image needs: caches, history, environments of this machine's, what `modelwright dockerfile` laid there."""
_READ: Final = ("exclude", "build", "builder")
"""What of project.toml is read here, or said by the order; other tables of a build are pack's own."""


def excludes(folder: Path) -> list[str]:
    """Return the patterns that the folder's project.toml keeps out of the image. Raises ImageError for no TOML."""
    return [str(pattern) for pattern in _descriptor(folder).get("exclude", [])]


def variables(folder: Path) -> dict[str, str]:
    """Return the build's variables that the folder's project.toml sets. Raises ImageError for no TOML."""
    listed = _descriptor(folder).get("build", {}).get("env", [])
    return {str(each.get("name")): str(each.get("value", "")) for each in listed}


def for_pack(folder: Path) -> list[str]:
    """Name what the folder's project.toml has that only `pack` reads. Raises ImageError for no TOML."""
    return [f"io.buildpacks.{key}" for key in _descriptor(folder) if key not in _READ]


def _descriptor(folder: Path) -> dict[str, Any]:
    path = folder / "project.toml"
    if not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ImageError(f"{path} is no TOML: {error}; correct that line") from None
    found: dict[str, Any] = content.get("io", {}).get("buildpacks", {})
    return found


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


def files(folder: Path, *, ignored: Iterable[str] = ()) -> Iterator[Path]:
    """Yield every file and link that would be in the image, by name, without what project.toml or `ignored` leaves out.

    Raises:
        ImageError: a link leads out of the folder: on another machine it would lead nowhere, or elsewhere.

    """
    top = folder.resolve()
    for path in sorted(_walk(folder, "", [*excludes(folder), *ignored])):
        if path.is_symlink() and not path.resolve().is_relative_to(top):
            raise ImageError(
                f"{path} is a link to {path.readlink()}, which is outside {folder}: copy the file into the folder, or "
                "name it in project.toml under [io.buildpacks] exclude"
            )
        yield path


def weights(folder: Path) -> list[str]:
    """Give the weights that an image leaves out, as patterns that only they match."""
    return [f"/{path.relative_to(folder).as_posix()}" for path, _ in weight_files.left_out(folder)]


def check(folder: Path) -> None:
    """Raise ImageError where there is no folder, or nothing in it that a model could be."""
    if not folder.is_dir():
        raise ImageError(f"{folder} is no folder: name the one that the model is in")
    if (folder / "Procfile").is_file() or next(evidence(folder), None) or next(python_files(folder), None):
        return
    raise ImageError(
        f"{folder} holds no model: no Python file, no Procfile, and none of {', '.join(_signs())}. Name the folder "
        "that the model is in; `modelwright init NAME` starts one"
    )


def _signs() -> list[str]:
    return [name for each in SIGNS.values() for name in each.files]


def archive(folder: Path, *, ignored: Iterable[str] = ()) -> bytes:
    """Pack the folder as tar and gzip; one content is one archive, whoever packs it. Raises as `files` does."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in files(folder, ignored=ignored):
            entry = tar.gettarinfo(path, path.relative_to(folder).as_posix())
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = ""
            # A second name of a file would otherwise be a link to the first.
            entry.type = tarfile.SYMTYPE if path.is_symlink() else tarfile.REGTYPE
            entry.mode = 0o755 if entry.mode & 0o100 else 0o644
            if path.is_symlink():
                tar.addfile(entry)
                continue
            with path.open("rb") as content:
                entry.size = path.stat().st_size
                tar.addfile(entry, content)
    return packed.getvalue()


def copy(folder: Path, target: Path, *, ignored: Iterable[str] = ()) -> None:
    """Copy the folder's files, readable by any user, links as links. Raises as `files` does."""
    target.mkdir(parents=True, exist_ok=True)
    for path in files(folder, ignored=ignored):
        copied = target / path.relative_to(folder)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copied, follow_symlinks=False)
        if not path.is_symlink():
            copied.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _walk(folder: Path, prefix: str, patterns: Sequence[str]) -> Iterable[Path]:
    for path in folder.iterdir():
        relative = f"{prefix}{path.name}"
        if _excluded(relative, patterns):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, relative + "/", patterns)
        elif path.is_symlink() or path.is_file():
            # A socket or a pipe is nothing that an image could hold.
            yield path
