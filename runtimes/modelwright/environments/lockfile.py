"""uv.lock: what a project's dependencies were resolved to."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from modelwright.environments.description import Description, Kind
from modelwright.errors import EnvironmentUnusable


def read(path: Path) -> Description:
    """Describe a lockfile, which has its project's pyproject.toml beside it.

    Raises:
        EnvironmentUnusable: one of the two is missing or no TOML.

    """
    project = path.with_name("pyproject.toml")
    texts = []
    for each in (path, project):
        try:
            texts.append(each.read_bytes())
            document = tomllib.loads(texts[-1].decode())
        except OSError as error:
            remedy = "; uv reads both, keep it beside uv.lock" if each == project else ""
            raise EnvironmentUnusable(f"{each} cannot be read: {error.strerror}{remedy}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise EnvironmentUnusable(f"{each} is no TOML: {error}; write the lockfile anew with uv lock") from None
        if each == path and not isinstance(document.get("requires-python"), str):
            raise EnvironmentUnusable(f"{path}: 'requires-python' is missing; write the lockfile anew with uv lock")
    # uv itself finds a Python in the project's range.
    return Description(
        Kind.LOCKFILE, str(path), path=path.parent, content=hashlib.sha256(b"\0".join(texts)).hexdigest()
    )
