"""Request targets: the path, decoded, and the query."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from httptools import HttpParserError, parse_url

# Targets that have been read; bounded in number and length, because callers choose them.
_KNOWN: Final[dict[bytes, tuple[str, bytes]]] = {}
_MOST: Final = 1024
_LONGEST: Final = 256


class BadTarget(Exception):
    """A target that is no path."""


def read(target: bytes) -> tuple[str, bytes]:
    """Give path and query of `/path?query` or `http://host/path?query`.

    Raises:
        BadTarget: it is neither.

    """
    known = _KNOWN.get(target)
    if known is not None:
        return known
    try:
        parsed = parse_url(target)
        path, query = (parsed.path or b"/").decode("ascii"), parsed.query or b""
    except (HttpParserError, UnicodeDecodeError) as error:
        raise BadTarget from error
    found = (unquote(path) if "%" in path else path), query
    if len(target) <= _LONGEST:
        if len(_KNOWN) >= _MOST:
            _KNOWN.clear()
        _KNOWN[target] = found
    return found
