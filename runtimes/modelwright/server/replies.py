"""Answers on their way out: ASGI messages, error bodies, and the headers that a model may set."""

import json
import re
from collections.abc import Mapping
from typing import Final

from modelwright.errors import InferenceError, Overloaded
from modelwright.server.asgi import Headers, Send

JSON: Final = (b"content-type", b"application/json")
# One piece, or several that are sent one after the other uncopied.
Body = bytes | list[bytes | memoryview]
_CLOSE: Final = (b"connection", b"close")
_JSON_ONLY: Final = {"content-type": "application/json"}
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# They belong to the connection and the body's framing, which are the server's.
_OURS = frozenset(("connection", "content-length", "date", "keep-alive", "server", "transfer-encoding", "upgrade"))


def to_bytes(headers: Mapping[str, str]) -> Headers:
    """Encode headers that a codec or a model sets, leaving out those that are the server's.

    Raises:
        ValueError: a name or a value that HTTP cannot carry.

    """
    # What nearly every answer has, and nothing else.
    if headers == _JSON_ONLY:
        return [JSON]
    encoded = []
    for name, value in headers.items():
        text = str(value)
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(text):
            raise ValueError(f"the response header {name!r} has characters that HTTP cannot carry")
        if name.lower() not in _OURS:
            encoded.append((name.lower().encode("latin-1"), text.encode("latin-1")))
    return encoded


async def send_answer(send: Send, status: int, headers: Headers, body: Body, *, close: bool) -> None:
    """Send a whole answer; `close` ends the connection after it."""
    length = b"%d" % (len(body) if isinstance(body, bytes) else sum(map(len, body)))
    full = [*headers, (b"content-length", length)]
    if close:
        full.append(_CLOSE)
    await send({"type": "http.response.start", "status": status, "headers": full})
    if isinstance(body, list):
        for part in body:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        body = b""
    await send({"type": "http.response.body", "body": body, "more_body": False})


def refusal(error: InferenceError) -> tuple[int, Headers, bytes]:
    """Give the answer for an error that the caller may read."""
    headers: Headers = [JSON]
    if isinstance(error, Overloaded):
        headers.append((b"retry-after", b"%d" % max(1, round(error.retry_after))))
    return int(error.status), headers, to_json({"error": error.message})


def to_json(value: object) -> bytes:
    """Encode a small answer of the server's own."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
