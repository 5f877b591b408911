"""Requests, read from what their connection brings, as llhttp reads HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from httptools import HttpParserUpgrade, HttpRequestParser

from modelwright.server.rest.headers import Headers
from modelwright.server.rest.wire import target
from modelwright.server.rest.wire.arrival import Arrival
from modelwright.server.rest.wire.request import Request

if TYPE_CHECKING:
    from modelwright.server.rest.wire.connection import Connection

_METHODS: Final = {each.encode(): each for each in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}


class Reader:
    """The parser's side of a connection."""

    def __init__(self, connection: Connection, arrival: Arrival) -> None:
        # None once the connection is lost.
        self._connection: Any = connection
        self._arrival = arrival
        self._target = b""
        self._headers: Headers = []
        # Of the headers: whether one is `connection`, and whether they offer another protocol.
        self._on_connection = self._offers = False
        self._parser: Any = None
        self._begin()

    def _begin(self) -> None:
        self._parser = HttpRequestParser(self)
        # What comes behind `Connection: close` is overlooked: refusing it would take away the answer that is due.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def feed(self, data: bytes) -> None:
        """Read what came.

        Raises:
            HttpParserError: it is no HTTP.

        """
        rest: Any = data
        while True:
            try:
                self._parser.feed_data(rest)
                return
            except HttpParserUpgrade as upgrade:
                rest = memoryview(rest)[upgrade.args[0] :]
            # Another protocol was offered: read the request again without the offer, which nobody has to take.
            self._offers = False
            asked = (self._parser.get_method(), self._target, self._parser.get_http_version().encode())
            lines = [b"%b %b HTTP/%b\r\n" % asked]
            lines += [b"%b: %b\r\n" % each for each in self._headers if each[0] != b"upgrade"]
            self._begin()
            self._parser.feed_data(b"".join(lines) + b"\r\n")

    def close(self) -> None:
        """Read no more."""
        self._parser = self._connection = None

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        if self._connection.begins():
            self._arrival.begin()
            self._target = b""
            self._headers = []
            self._on_connection = False

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what stands behind a chunked body is none."""
        if self._arrival.in_headers:
            name = name.lower()
            if name == b"connection":
                self._on_connection = True
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Hand the request to the connection."""
        connection, parser = self._connection, self._parser
        if connection.deaf:
            return
        method = parser.get_method()
        if method == b"CONNECT":
            raise target.BadTarget
        found = target.read(self._target)
        if self._on_connection and parser.should_upgrade():
            self._offers = True
            return
        stays = parser.should_keep_alive()
        # Asked for only where it is not plain, as it costs more than the rest: 1.0 stays for who says `connection`.
        version = "1.1" if stays and not self._on_connection else parser.get_http_version()
        name = _METHODS.get(method) or method.decode("ascii")
        request = Request(connection, name, found, version, self._headers, stays=stays and version == "1.1")
        self._arrival.headers_end()
        connection.take(request)

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        connection = self._connection
        if connection.deaf:
            return
        latest = connection.latest
        if latest.ended:
            connection.overlook(len(piece))
        elif not latest.take(piece):
            connection.pause_reading()

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        connection = self._connection
        if connection.deaf or self._offers:
            return
        self._arrival.end()
        connection.whole(connection.latest)
