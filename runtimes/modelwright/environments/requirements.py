"""requirements.txt, as pip's documentation has its format, as far as an environment apart from its folder can."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from modelwright.environments.description import Description, Kind
from modelwright.errors import EnvironmentUnusable

_INCLUDE: Final = re.compile(r"^(?:-r|--requirement)[\s=]+(?P<file>\S+)$")
# What uv takes as it is; each ends up in the file that it is given.
_OPTIONS: Final = ("--index-url", "-i ", "--extra-index-url", "--find-links", "-f ", "--no-index", "--no-binary",
                   "--only-binary", "--pre", "--prefer-binary", "--require-hashes")  # fmt: skip
_LOCAL: Final = re.compile(r"^(?:-e\b|--editable\b|\.{0,2}/|file:|\.$)")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_SECRET: Final = re.compile(r"://[^/@\s]+@")


def read(path: Path) -> Description:
    """Describe what a requirements file asks for, with the files that it includes.

    Raises:
        EnvironmentUnusable: the file is not there, or a line cannot be had without the folder that it is in.

    """
    return Description(Kind.REQUIREMENTS, str(path), tuple(dict.fromkeys(_lines(path, ()))))


def parse(text: str, where: str) -> Iterator[tuple[int, str]]:
    """Yield each logical line with its number, without comments and with continued lines joined."""
    joined, begun = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        begun = begun or number
        if line.endswith("\\"):
            joined += line[:-1].rstrip() + " "
            continue
        whole = _COMMENT.sub("", joined + line.strip()).strip()
        if whole:
            yield begun, whole
        joined, begun = "", 0
    if joined.strip():
        raise EnvironmentUnusable(f"{where}:{begun}: the last line ends in a backslash; remove it")


def _lines(path: Path, including: tuple[Path, ...]) -> Iterator[str]:
    if path in including:
        raise EnvironmentUnusable(f"{including[-1]}: {path.name} includes itself; remove that -r line")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {error.strerror}"
        raise EnvironmentUnusable(f"{path} {reason}") from None
    for number, line in parse(text, str(path)):
        included = _INCLUDE.match(line)
        if included:
            yield from _lines(path.parent / included["file"], (*including, path))
        else:
            yield checked(line, f"{path}:{number}")


def checked(line: str, where: str) -> str:
    """Give a line that is a requirement or an option that installs the same from any folder.

    Raises:
        EnvironmentUnusable: it is neither; the message says what to write.

    """
    shown = _SECRET.sub("://...@", line)
    if _LOCAL.match(line):
        raise EnvironmentUnusable(
            f"{where}: {shown!r} installs from this folder, and an environment is kept apart from it; name a release "
            "or the https:// address of a wheel. The model's own modules need no installing: they are found beside it"
        )
    if line.startswith("-") and not line.startswith(_OPTIONS):
        raise EnvironmentUnusable(
            f"{where}: the option {shown!r} is not one for an environment; understood are -r and {', '.join(_OPTIONS)}"
        )
    if not line.startswith("-") and not re.match(r"^(?:[A-Za-z0-9]|https://|git\+)", line):
        raise EnvironmentUnusable(f"{where}: {shown!r} is no requirement; write it as pip does, such as 'numpy>=1.26'")
    return line
