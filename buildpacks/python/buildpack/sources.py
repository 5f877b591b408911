"""Where the dependencies are written down, and the hash by which a change of them is noticed."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from .context import Context
from .errors import included_file_missing, no_dependencies_file, no_lockfile
from .project import Project

_INCLUDE = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)")
_LOCAL = re.compile(r"^\s*(?:-e\b|--editable\b|\.{1,2}(?:/|\s|\[|$)|file:)|@\s*file:")


@dataclass(frozen=True)
class Source:
    """The file that dependencies are installed from."""

    name: str
    extras: tuple[str, ...]
    digest: str
    local: bool
    """Whether it names code of the folder itself: then no hash of this file alone can tell that nothing changed."""


def find(context: Context, project: Project) -> Source:
    """Choose between uv.lock and requirements.txt; the lockfile wins, since it says more."""
    if context.has("uv.lock") and context.has("pyproject.toml"):
        listed = context.environment.get("BP_UV_EXTRAS", "").replace(",", " ").split()
        # Not of pyproject.toml: uv checks it against the lockfile, and its other tables may change freely.
        return Source("uv.lock", tuple(sorted(set(listed))), _digest([context.app / "uv.lock"]), local=False)
    if context.has("requirements.txt"):
        files = _with_includes(context.app / "requirements.txt", context.app)
        local = any(_LOCAL.search(line) for file in files for line in file.read_text(encoding="utf-8").splitlines())
        return Source("requirements.txt", (), _digest(files), local)
    if context.has("pyproject.toml"):
        raise no_lockfile()
    raise no_dependencies_file()


def _with_includes(first: Path, root: Path) -> list[Path]:
    files, queue = [], [first]
    while queue:
        file = queue.pop()
        if file in files:
            continue
        files.append(file)
        for line in file.read_text(encoding="utf-8").splitlines():
            match = _INCLUDE.match(line)
            if match and "://" not in match[1]:
                included = (file.parent / match[1]).resolve()
                if not included.is_file() or not included.is_relative_to(root.resolve()):
                    raise included_file_missing(file.name, match[1])
                queue.append(included)
    return files


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
