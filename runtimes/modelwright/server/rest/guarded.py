"""A connection whose supervisor knows, from one byte, whether it may still be answered in the worker's stead."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from modelwright.server.arguments import Arguments
from modelwright.server.rest.protocol import Protocol
from modelwright.server.workers.guard import IDLE, IN_WORK, Guard

# No answer yet, so that another may follow it.
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# All that uvicorn and we ask of a transport besides to write. Others are missing on purpose: they might write too.
_SAME: Final = (
    "abort", "close", "get_extra_info", "get_write_buffer_size", "is_closing", "pause_reading", "resume_reading",
)  # fmt: skip


class GuardedProtocol(Protocol):
    """One connection of a worker that has a supervisor; not for TLS, which only the worker itself can write."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        loop: asyncio.AbstractEventLoop,
        arguments: Arguments,
        guard: Guard,
    ) -> None:
        super().__init__(config, server_state, loop, arguments)
        self._guard = guard
        self._states = guard.states
        self._number: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection and hand a duplicate to the supervisor."""
        self._number = self._guard.add(transport.get_extra_info("socket").fileno())
        guarded: Any = transport if self._number is None else _Transport(transport, self._guard, self._number)
        super().connection_made(guarded)

    def on_message_begin(self) -> None:
        """Note that a request begins, which is the supervisor's to answer until we do."""
        Protocol.on_message_begin(self)
        if self._number is None:
            return
        if self.cycle is None or self.cycle.response_complete:
            # Unless that would write into the middle of the answer before it.
            if not self.transport.get_write_buffer_size():
                self._states[self._number] = IN_WORK
        else:
            # Sent before the one in work was answered, whose end is this one's beginning.
            self.cycle.on_response = self._next

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the connection back."""
        if self._number is not None:
            self._guard.remove(self._number, self.transport.get_extra_info("socket").fileno())
            self._number = None
        super().connection_lost(exc)

    def _next(self) -> None:
        """End an answer behind which the client has sent more."""
        following = self.pipeline[-1][0] if self.pipeline else None
        self.on_response_complete()
        # Later, because uvloop has what was just written only in its buffer.
        self.loop.call_soon(self._mark_unanswered, following)

    def _mark_unanswered(self, cycle: RequestResponseCycle | None) -> None:
        if (
            self._number is not None
            and (cycle is None or not cycle.response_started)
            and not self.transport.is_closing()
            and not self.transport.get_write_buffer_size()
        ):
            self._states[self._number] = IN_WORK


class _Transport:
    """A transport that takes its connection's offer to the supervisor back before anything of an answer is written."""

    __slots__ = (*_SAME, "_number", "_states", "_write")

    def __init__(self, transport: asyncio.Transport, guard: Guard, number: int) -> None:
        for name in _SAME:
            setattr(self, name, getattr(transport, name))
        self._states, self._number, self._write = guard.states, number, transport.write

    def write(self, data: bytes) -> None:
        """Write."""
        if data != _CONTINUE:
            self._states[self._number] = IDLE
        self._write(data)
