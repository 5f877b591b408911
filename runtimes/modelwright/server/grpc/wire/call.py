"""One gRPC call: what its handler reads, writes and is told, and the HTTP/2 stream that carries it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from modelwright.server import log
from modelwright.server.grpc.wire.fields import encoded
from modelwright.server.grpc.wire.head import Head
from modelwright.server.grpc.wire.incoming import Incoming
from modelwright.server.grpc.wire.messages import percent_encoded
from modelwright.server.grpc.wire.outlet import RESPONSE, Outlet, framed
from modelwright.server.grpc.wire.status import CallRefused, StatusCode
from modelwright.server.grpc.wire.terms import Route

if TYPE_CHECKING:
    from modelwright.server.grpc.wire.streams import Streams


class Call(Incoming):
    """A call in work. What begins with a default below costs nothing in the calls that do not need it."""

    initial_metadata: list[tuple[str, str]] = []  # noqa: RUF012 - never changed: handlers put lists of their own here
    trailing_metadata: list[tuple[str, str]] = []  # noqa: RUF012 - see above
    # The status that it ended with; OK until then.
    code: StatusCode = StatusCode.OK
    # Whether it ended for want of time: its deadline has passed, or its request did not arrive.
    late = False
    tail = b""
    outgoing: deque[memoryview] = deque()  # noqa: RUF012 - replaced before anything is added
    _begun = False
    _writer: asyncio.Future[None] | None = None
    _task: asyncio.Task[None] | None = None
    _timer: asyncio.TimerHandle | None = None

    def __init__(self, streams: Streams, outlet: Outlet, number: int, head: Head, route: Route) -> None:
        self.number = number
        self.head = head
        # What the client may still be sent.
        self.window = outlet.initial
        self._streams = streams
        self._outlet = outlet
        self._route = route
        if head.timeout is not None:
            self._timer = streams.loop.call_later(head.timeout, self.run_out, "Deadline Exceeded")

    @property
    def path(self) -> str:
        """The method's path, such as `/inference.GRPCInferenceService/ModelInfer`."""
        return self.head.path

    @property
    def headers(self) -> dict[str, str]:
        """The caller's text metadata, for one to change."""
        return dict(self.head.headers)

    @property
    def ended(self) -> bool:
        """Whether its caller has been told the end, or has left."""
        return self._ended

    @property
    def stopping(self) -> bool:
        """Whether the server waits for its calls to end."""
        return self._streams.stopping

    # What handlers do.

    async def write(self, message: bytes) -> None:
        """Send one message of a stream; returns when the client has room for more, so that nobody computes ahead of it.

        Raises:
            TooLarge: it is longer than the server may send.
            asyncio.CancelledError: the caller has left.

        """
        if self._ended:
            raise asyncio.CancelledError
        self._streams.check_answer(message)
        self._send(message)
        while self.outgoing and not self._ended:
            self._writer = self._streams.loop.create_future()
            await self._writer

    def answer(self, message: bytes) -> None:
        """Send the answer of a unary call, which ends it well.

        Raises:
            TooLarge: it is longer than the server may send; the call goes on.

        """
        if self._ended:
            return
        self._streams.check_answer(message)
        if not self.initial_metadata and not self.trailing_metadata and self._outlet.whole(self, message):
            self._ended = True
            self._streams.forget(self)
            return
        self._send(message)
        self.end(StatusCode.OK)

    def refuse(self, code: StatusCode, message: str, trailing: list[tuple[str, str]] | None = None) -> None:
        """End the call with a reason for its caller; `trailing` goes with it in place of all metadata."""
        self.initial_metadata, self.trailing_metadata = [], trailing or []
        self.end(code, message)

    def end(self, code: StatusCode, message: str = "") -> None:
        """End the call, if it has not ended."""
        if self._ended:
            return
        self._ended, self.code = True, code
        told = [("grpc-message", percent_encoded(message))] if message else []
        block = encoded([("grpc-status", str(int(code))), *told, *self.trailing_metadata])
        self.tail = block if self._begun else RESPONSE + encoded(self.initial_metadata) + block
        self._outlet.push(self)

    def _send(self, message: bytes) -> None:
        if not self._begun:
            self._begun = True
            self._outlet.block(self.number, RESPONSE + encoded(self.initial_metadata), end=False)
        if not self.outgoing:
            self.outgoing = deque()
        self.outgoing.extend(framed(message))
        self._outlet.push(self)

    # What its connection does.

    def start(self) -> None:
        """Begin to work on it."""
        self._task = self._streams.loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            await self._route.answer(self)
            self.end(StatusCode.OK)
        except CallRefused as refused:
            self.end(refused.code, refused.message)
        except asyncio.CancelledError:
            self.end(StatusCode.CANCELLED, "the call was cancelled in the server")
        except Exception:
            log.LOGGER.exception("%s failed", self.path)
            self.end(StatusCode.INTERNAL, "the server failed on this call; its log has the reason")

    def flushed(self) -> None:
        """Note that everything is on its way."""
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)
        if self._ended:
            self._streams.forget(self)

    def run_out(self, told: str) -> None:
        """End the call for want of time: its deadline has passed, or its request does not arrive."""
        self.late = True
        self.cut(StatusCode.DEADLINE_EXCEEDED, told)

    def cut(self, code: StatusCode, message: str) -> None:
        """End the call in its handler's stead, and cancel that; what has not been sent is not."""
        if self._ended:
            self.abandon()
            self._streams.give_up(self)
            return
        self.outgoing.clear()
        self.end(code, message)
        if self._task is not None:
            self._task.cancel()

    def abandon(self) -> None:
        """Cancel the handler, whose caller has left."""
        if not self._ended:
            self._ended, self.code = True, StatusCode.CANCELLED
        self.release()
        self._outlet.waiting.pop(self.number, None)
        if self._task is not None:
            self._task.cancel()

    def release(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
