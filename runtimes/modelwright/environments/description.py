"""What a model's environment is made of, as its author wrote it: nothing here touches the machine."""

from __future__ import annotations

import hashlib
import platform
import re
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from modelwright.errors import EnvironmentUnusable

# What runs a model in its environment is this package itself, in that interpreter.
OLDEST: Final = (3, 11)
_FORM: Final = "1"
_NAME: Final = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


class Kind(Enum):
    """How an environment comes to be."""

    REQUIREMENTS = "requirements"
    LOCKFILE = "lockfile"
    TARBALL = "tarball"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Description:
    """One environment.

    `source` says where it is written, for messages. `python` is a version or a range of versions, as uv reads it, empty
    where the source names none. `path` is the tarball, the environment's folder or the lockfile's. `name` is what conda
    calls it, which code that asks for its environment's name is told.
    """

    kind: Kind
    source: str
    requirements: tuple[str, ...] = ()
    python: str = ""
    path: Path | None = None
    content: str = ""
    name: str = ""
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Identify what is made of it on this machine: equal content, Python and platform give one environment."""
        parts = (
            _FORM,
            self.kind.value,
            *sorted(self.requirements),
            self.wanted_python,
            self.content,
            sysconfig.get_platform(),
            "-".join(platform.libc_ver()),
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def wanted_python(self) -> str:
        """The version to ask for: the source's, else the server's own."""
        return self.python or f"{sys.version_info.major}.{sys.version_info.minor}"


def from_packages(
    packages: Iterable[str], *, python: str = "", source: str = "RuntimeEnv.from_packages"
) -> Description:
    """Describe an environment of pip requirements.

    Raises:
        EnvironmentUnusable: one of them is no requirement, or the Python is too old.

    """
    given = [packages] if isinstance(packages, str) else list(packages)
    for place, each in enumerate(given):
        if not isinstance(each, str) or not _looks_like_requirement(each.strip()):
            raise EnvironmentUnusable(
                f"{source}: package {place} is {each!r}, which is no requirement; write it as pip does, for example "
                "'numpy>=1.26'"
            )
    check_python(python, source)
    return Description(Kind.REQUIREMENTS, source, tuple(dict.fromkeys(each.strip() for each in given)), python)


def check_python(python: str, where: str) -> None:
    """Refuse a Python that this package does not run in; ranges are left to whoever finds an interpreter.

    Raises:
        EnvironmentUnusable: it is older than `OLDEST`, or no version.

    """
    found = re.match(r"^(?:[=~]=)?\s*(\d+)\.(\d+)", python)
    if python and not found and not re.match(r"^[<>!=~]", python):
        raise EnvironmentUnusable(f"{where}: python {python!r} is no version; write for example python=3.11")
    if found and (int(found[1]), int(found[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise EnvironmentUnusable(
            f"{where}: python {python} is too old: a model's environment needs Python {oldest} or newer, as the part "
            f"of Modelwright that runs the model there does; ask for python={oldest}"
        )


def _looks_like_requirement(text: str) -> bool:
    return bool(_NAME.match(text)) or text.startswith(("https://", "git+"))
