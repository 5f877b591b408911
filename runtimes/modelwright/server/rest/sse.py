"""Server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them."""

from __future__ import annotations

from typing import Final

from modelwright.server.rest.headers import Headers

# Proxies such as nginx hold answers back to fill their buffers unless they are told not to.
HEADERS: Final[Headers] = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


def event(data: bytes, name: bytes = b"") -> bytes:
    """Give the event that carries one line of data, such as JSON."""
    return b"event: %b\ndata: %b\n\n" % (name, data) if name else b"data: %b\n\n" % data
