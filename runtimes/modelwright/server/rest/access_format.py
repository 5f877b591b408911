"""`--access_log_format`: the access line in the words of asgi-logger, which kserve's flag of that name takes.

Source: the table of formats at https://github.com/Kludex/asgi-logger#usage, which are Apache's and gunicorn's.
"""

import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus

from modelwright.server.rest.headers import Headers
from modelwright.server.rest.routes import shown
from modelwright.server.rest.wire.request import Request

_CONVERSION = re.compile(r"%(?:%|\((?P<atom>[^)]*)\)(?P<kind>[a-zA-Z]?)|(?P<stray>.?))", re.DOTALL)
_HEADER = re.compile(r"\{(?P<name>[^{}]+)\}(?P<side>[ioe])")
# A log is read by more people than may have what these carry.
_SECRET = re.compile(r"auth|cookie|token|secret|password|credential|api-?key|signature|jwt", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Access:
    request: Request
    status: int
    headers: Headers
    size: int | None
    seconds: float


class AccessFormat:
    """A format that has been read and found good."""

    def __init__(self, text: str) -> None:
        """Read `text`.

        Raises:
            ValueError: an atom that there is none of, or one that would log a secret.

        """
        self._text = text
        self._atoms: dict[str, Callable[[_Access], object]] = {}
        for found in _CONVERSION.finditer(text):
            if found["stray"] is not None or (found["atom"] is not None and found["kind"] != "s"):
                raise ValueError(f"--access_log_format: write atoms as %(name)s and a percent as %%, not {found[0]!r}")
            if found["atom"] is not None:
                self._atoms[found["atom"]] = _reader(found["atom"])

    def line(self, request: Request, status: int, headers: Headers, size: int | None, seconds: float) -> str:
        """Give the line for one request, without characters that could forge another.

        `size` is the answer's body in bytes, None for one that was sent as it came.
        """
        access = _Access(request, status, headers, size, seconds)
        values = {atom: _printable(str(read(access))) for atom, read in self._atoms.items()}
        return self._text % values


def _reader(atom: str) -> Callable[[_Access], object]:
    known = _ATOMS.get(atom)
    if known is not None:
        return known
    header = _HEADER.fullmatch(atom)
    if header is None:
        raise ValueError(
            f"--access_log_format: there is no %({atom})s; there are {', '.join(_ATOMS)}, "
            "and {name}i and {name}o for a header of the request and the answer"
        )
    name = header["name"].lower()
    if header["side"] == "e" or _SECRET.search(name):
        raise ValueError(f"--access_log_format: %({atom})s could write a secret into the log; leave it out")
    if header["side"] == "i":
        return lambda access: _value(access.request.headers, name)
    return lambda access: _size(access) if name == "content-length" else _value(access.headers, name)


def _value(headers: Iterable[tuple[bytes, bytes]], name: str) -> str:
    wanted = name.encode("latin-1", "replace")
    return next((value.decode("latin-1") for key, value in headers if key.lower() == wanted), "-")


def _client(access: _Access) -> str:
    client = access.request.client
    return f"{client[0]}:{client[1]}" if client else "-"


def _protocol(access: _Access) -> str:
    return f"HTTP/{access.request.version}"


def _query(access: _Access) -> str:
    return access.request.query.decode("latin-1")


def _line(access: _Access) -> str:
    return f"{access.request.method} {shown(access.request.path)} {_protocol(access)}"


def _whole_line(access: _Access) -> str:
    query = _query(access)
    path = shown(access.request.path) + (f"?{query}" if query else "")
    return f"{access.request.method} {path} {_protocol(access)}"


def _phrase(access: _Access) -> str:
    try:
        return HTTPStatus(access.status).phrase
    except ValueError:
        return "-"


def _size(access: _Access) -> object:
    return "-" if access.size is None else access.size


def _nothing(_: _Access) -> str:
    return "-"


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)


_ATOMS: dict[str, Callable[[_Access], object]] = {
    "h": _client,
    "client_addr": _client,
    "l": _nothing,
    "u": _nothing,
    "t": lambda _: time.strftime("[%d/%b/%Y:%H:%M:%S %z]"),
    "r": _line,
    "R": _whole_line,
    "request_line": _whole_line,
    "m": lambda access: access.request.method,
    "U": lambda access: shown(access.request.path),
    "q": _query,
    "H": _protocol,
    "s": lambda access: access.status,
    "st": _phrase,
    "status_code": lambda access: f"{access.status} {_phrase(access)}",
    "B": _size,
    "b": _size,
    "f": lambda access: _value(access.request.headers, "referer"),
    "a": lambda access: _value(access.request.headers, "user-agent"),
    "T": lambda access: int(access.seconds),
    "M": lambda access: int(access.seconds * 1e3),
    "D": lambda access: int(access.seconds * 1e6),
    "L": lambda access: f"{access.seconds:.6f}",
    "p": lambda _: f"<{os.getpid()}>",
}
