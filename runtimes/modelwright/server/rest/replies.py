"""Answers on their way out: in one piece or in several, error bodies, and the headers that a model may set."""

import re
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Final

from modelwright.errors import InferenceError, Overloaded
from modelwright.server.caller import REQUEST_ID_HEADER
from modelwright.server.rest.documents import to_json
from modelwright.server.rest.headers import Encoded, Headers
from modelwright.server.rest.pieces import send_pieces
from modelwright.server.rest.wire.heads import JSON
from modelwright.server.rest.wire.request import SMALL, Request

# One piece, or several that are sent one after the other uncopied, or pieces that come as they are asked for.
Body = bytes | list[bytes | memoryview] | AsyncIterator[bytes]
_JSON_ONLY: Final = {"content-type": "application/json"}
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# They belong to the connection and the body's framing, which are the server's.
_OURS = frozenset(
    (b"connection", b"content-length", b"date", b"keep-alive", b"server", b"transfer-encoding", b"upgrade")
)


def to_bytes(headers: Mapping[str, str]) -> Headers:
    """Encode headers that a codec or a model sets, leaving out those that are the server's.

    Raises:
        ValueError: a name or a value that HTTP cannot carry.

    """
    if isinstance(headers, Encoded):
        return headers.encoded
    # What nearly every answer has, and nothing else.
    if headers == _JSON_ONLY:
        return [JSON]
    encoded = []
    for name, value in headers.items():
        key, text = _name(name), str(value)
        # What nearly all values are; the expression takes longer.
        if not (text.isascii() and text.isprintable()) and not _VALUE.fullmatch(text):
            raise _unspeakable(name)
        if key not in _OURS:
            encoded.append((key, text.encode("latin-1")))
    return encoded


@lru_cache(256)
def _name(name: str) -> bytes:
    if not _NAME.fullmatch(name):
        raise _unspeakable(name)
    return name.lower().encode("latin-1")


def _unspeakable(name: str) -> ValueError:
    return ValueError(f"the response header {name!r} has characters that HTTP cannot carry")


async def send_answer(request: Request, status: int, headers: Headers, body: Body, *, close: bool) -> None:
    """Send a whole answer; `close` ends the connection after it.

    Raises:
        ClientLeft: it has stopped reading.

    """
    if not isinstance(body, bytes | list):
        await send_pieces(request, status, headers, body, close=close)
        return
    length = size(body) or 0
    if length <= SMALL:
        whole = body if isinstance(body, bytes) else b"".join(body)
        if request.answer(status, headers, whole, close=close):
            return
    if request.blocked:
        await request.room()
    request.begin(status, headers, length, close=close)
    for part in body if isinstance(body, list) else [body]:
        if request.blocked:
            await request.room()
        request.write(part)
    request.end()


def size(body: Body) -> int | None:
    """Give a body's length in bytes, None where it is not known before its end."""
    if isinstance(body, bytes):
        return len(body)
    return sum(map(len, body)) if isinstance(body, list) else None


def refusal(error: InferenceError) -> tuple[int, Headers, bytes]:
    """Give the answer for an error that the caller may read."""
    headers: Headers = [JSON]
    if isinstance(error, Overloaded):
        headers.append((b"retry-after", b"%d" % max(1, round(error.retry_after))))
    request_id = getattr(error, "request_id", None)
    if request_id is not None:
        headers.append((REQUEST_ID_HEADER, request_id.encode()))
    return int(error.status), headers, told(error, request_id)


def told(error: InferenceError, request_id: str | None) -> bytes:
    """Give an error's body."""
    return to_json({"error": error.message} | ({"request_id": request_id} if request_id else {}))
