"""What opens a call: a request's header fields, held against HTTP/2 and gRPC.

Source: RFC 9113, section 8, and https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final, TypeAlias

from modelwright.server.grpc.wire.settings import HEADER_LIST
from modelwright.server.grpc.wire.status import CallRefused, StatusCode

Field: TypeAlias = tuple[bytes, bytes]

_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_NO_VALUE: Final = re.compile(rb"[\0\r\n]")
_PSEUDO: Final = frozenset({b":method", b":scheme", b":path", b":authority"})
_NEEDED: Final = (b":method", b":scheme", b":path")
# Section 8.2.2: what belongs to a connection of HTTP/1.
_CONNECTIONS: Final = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
# What gRPC keeps for itself; the rest is the caller's metadata.
_TRANSPORTS: Final = frozenset(
    {b"te", b"content-type", b"content-length", b"host", b"grpc-timeout", b"grpc-encoding", b"grpc-accept-encoding",
     b"grpc-message-type"}
)  # fmt: skip
_TIMEOUT: Final = re.compile(r"(\d{1,8})([HMSmun])")
_SECONDS: Final = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_ENTRY: Final = 32


class Head:
    """A request's head. Shared by all calls whose header blocks are the same, so nobody changes it.

    `malformed` says what HTTP/2 does not allow, and is empty for nearly all; `status` is 200 where the request is
    gRPC's. `timeout` is in seconds, None where there is none, and negative where it cannot be read; `length` is
    what content-length says, -1 where it says nothing. `headers` are the caller's metadata but for binary ones.
    """

    __slots__ = ("encoding", "headers", "length", "malformed", "path", "status", "timeout", "too_long")

    def __init__(self, fields: list[Field]) -> None:
        self.malformed = refused(fields, pseudo=True)
        pseudo = {name: value for name, value in fields if name.startswith(b":")}
        ordinary = [(name, value) for name, value in fields if not name.startswith(b":")]
        first = dict(reversed(ordinary))
        self.path = pseudo.get(b":path", b"").decode("latin-1")
        self.status = _status(pseudo.get(b":method", b""), first.get(b"content-type", b""))
        self.timeout = _timeout(first.get(b"grpc-timeout"))
        self.encoding = first.get(b"grpc-encoding", b"identity").decode("latin-1")
        self.too_long = sum(len(name) + len(value) + _ENTRY for name, value in fields) > HEADER_LIST
        self.length = -1
        length = first.get(b"content-length")
        if length is not None:
            if length.isdigit() and len(length) < 19:
                self.length = int(length)
            else:
                self.malformed = self.malformed or "content-length is no number"
        self.headers = _metadata(ordinary)

    def check(self) -> None:
        """Hold what a call may say of itself against what it may be. Raises CallRefused."""
        if self.too_long:
            told = f"the call's metadata is larger than {HEADER_LIST} bytes"
            raise CallRefused(StatusCode.RESOURCE_EXHAUSTED, told)
        if self.timeout is not None and self.timeout < 0:
            told = "grpc-timeout is not digits and one of H, M, S, m, u and n"
            raise CallRefused(StatusCode.INVALID_ARGUMENT, told)


def refused(fields: list[Field], *, pseudo: bool) -> str:
    """Say what of a field section HTTP/2 does not allow, "" where all is well; trailers have no `pseudo` ones."""
    seen: set[bytes] = set()
    ordinary = False
    for name, value in fields:
        if name.startswith(b":"):
            if ordinary or not pseudo or name not in _PSEUDO or name in seen:
                return "a pseudo-header field is unknown, there twice or in the wrong place"
            seen.add(name)
        else:
            ordinary = True
            if not _NAME.fullmatch(name):
                return "a field's name has characters that it may not have"
            if name in _CONNECTIONS or (name == b"te" and value != b"trailers"):
                return "a field belongs to HTTP/1"
        if _NO_VALUE.search(value):
            return "a field's value has characters that it may not have"
    if pseudo and (not seen.issuperset(_NEEDED) or (b":path", b"") in fields):
        return "a pseudo-header field is missing"
    return ""


def _status(method: bytes, content_type: bytes) -> int:
    if method != b"POST":
        return HTTPStatus.METHOD_NOT_ALLOWED
    # "application/grpc", "application/grpc+proto", "application/grpc;..."
    if content_type[:16] == b"application/grpc" and content_type[16:17] in (b"", b"+", b";"):
        return HTTPStatus.OK
    return HTTPStatus.UNSUPPORTED_MEDIA_TYPE


def _timeout(value: bytes | None) -> float | None:
    if value is None:
        return None
    match = _TIMEOUT.fullmatch(value.decode("latin-1"))
    return int(match[1]) * _SECONDS[match[2]] if match else -1.0


def _metadata(fields: list[Field]) -> dict[str, str]:
    """Give text metadata as headers, values of a repeated key joined as HTTP has it."""
    headers: dict[str, str] = {}
    for name, value in fields:
        if name in _TRANSPORTS or name.endswith(b"-bin"):
            continue
        key, text = name.decode("latin-1"), value.decode("utf-8", "replace")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
