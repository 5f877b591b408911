"""One HTTP/2 connection of gRPC calls, on the event loop."""

from __future__ import annotations

import asyncio
from typing import Final

from modelwright.server.grpc.wire import frames, settings
from modelwright.server.grpc.wire.frames import ConnectionFailed
from modelwright.server.grpc.wire.outlet import Outlet
from modelwright.server.grpc.wire.reader import FrameReader
from modelwright.server.grpc.wire.streams import Streams
from modelwright.server.grpc.wire.terms import Terms

# Seconds within which a client must have begun to speak, and between looks at whether it is still there.
_BEGIN: Final = 20.0
_LOOK: Final = 60.0
# Seconds that a client gets to read why its connection ends, and to say that it has heard of a drain.
_LINGER: Final = 2.0
_ALIVE: Final = b"alive?  "


class Connection(asyncio.Protocol):
    """The transport's side of a connection, from the first byte to the last; `open` is where it is while it lives."""

    def __init__(self, terms: Terms, open_ones: set[Connection]) -> None:
        self._terms = terms
        self._open = open_ones
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._heard = False
        self._asked = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to speak, if the client chose HTTP/2."""
        self._transport = transport
        self._outlet = Outlet(transport, self._loop)
        self._streams = Streams(self._terms, self._outlet, self._loop, self._close)
        self._reader = FrameReader(self._streams)
        self._timer = self._loop.call_later(_BEGIN, self._look)
        self._open.add(self)
        tls = transport.get_extra_info("ssl_object")
        if self._terms.tls and (tls is None or tls.selected_alpn_protocol() != "h2"):
            self._close()
        else:
            transport.write(settings.OURS)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._closed:
            return
        self._heard = True
        try:
            self._reader.take(data)
        except ConnectionFailed as failure:
            self._fail(failure)

    def pause_writing(self) -> None:
        """Hold back what the client does not read."""
        self._outlet.pause()

    def resume_writing(self) -> None:
        """Send on."""
        self._outlet.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up the calls whose client is gone."""
        self._closed = True
        self._timer.cancel()
        self._outlet.forget()
        self._open.discard(self)
        self._streams.abandon()
        # Bound methods of its own: without this the connection would wait for the collector.
        self._reader.close()

    def _fail(self, failure: ConnectionFailed) -> None:
        """Say why the connection ends, and end it once the client has had the time to read that."""
        self._closed = True
        self._transport.write(frames.goaway(self._streams.last, failure.code, failure.message))
        self._streams.abandon()
        if self._transport.can_write_eof():
            # Closing with something unread would reset the connection, and might take GOAWAY away from its reader.
            self._transport.write_eof()
        else:
            self._transport.close()
        self._abort_later()

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            self._transport.close()
            self._abort_later()

    def _abort_later(self) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(_LINGER, self._transport.abort)

    def _look(self) -> None:
        """End a connection that does not begin, or whose other end is silent even when asked."""
        if not self._reader.begun or (self._asked and not self._heard):
            self._closed = True
            self._transport.abort()
            return
        self._asked = not self._heard
        if self._asked:
            self._outlet.control(frames.frame(frames.PING, 0, 0, _ALIVE))
        self._heard = False
        self._timer = self._loop.call_later(_LOOK, self._look)

    def drain(self) -> None:
        """Ask for no new calls; once the client has heard that, take none, and close behind the last."""
        if not self._closed:
            self._streams.drain()
            self._loop.call_later(_LINGER, self._no_more)

    def _no_more(self) -> None:
        if not self._closed:
            self._streams.no_more()

    def cut(self) -> None:
        """End all calls now: the grace period is over."""
        if not self._closed:
            self._streams.cut()
            self._no_more()
