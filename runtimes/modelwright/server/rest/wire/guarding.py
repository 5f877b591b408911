"""A connection whose supervisor knows, from one byte, whether it may still be answered in the worker's stead."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from modelwright.server.rest.wire.heads import CONTINUE
from modelwright.server.rest.wire.request import Request
from modelwright.server.workers.guard import IDLE, IN_WORK, Guard

# All that a connection asks of a transport besides to write. Others are missing on purpose: they might write too.
_SAME: Final = (
    "abort", "close", "get_extra_info", "get_write_buffer_size", "is_closing", "pause_reading", "resume_reading",
)  # fmt: skip


class Guarding:
    """One connection's place with the supervisor; not for TLS, which only the worker itself can write."""

    def __init__(self, transport: asyncio.Transport, guard: Guard, loop: asyncio.AbstractEventLoop) -> None:
        self._guard, self._states, self._loop = guard, guard.states, loop
        self._number = guard.add(transport.get_extra_info("socket").fileno())
        self.transport: Any = transport if self._number is None else _Transport(transport, self._states, self._number)

    def begins(self, unanswered: Request | None) -> None:
        """Note that a request begins, which is the supervisor's to answer until we do; behind it there may be one."""
        if self._number is None:
            return
        if unanswered is not None:
            # Its end is this one's beginning.
            unanswered.followed = True
        # Unless that would write into the middle of the answer before it.
        elif not self.transport.get_write_buffer_size():
            self._states[self._number] = IN_WORK

    def answered(self, following: Request | None) -> None:
        """Note the end of an answer behind which the client has sent more: `following`, or less than its headers."""
        # Later, because uvloop has what was just written only in its buffer.
        self._loop.call_soon(self._mark, following)

    def _mark(self, following: Request | None) -> None:
        if (
            self._number is not None
            and (following is None or not following.begun)
            and not self.transport.is_closing()
            and not self.transport.get_write_buffer_size()
        ):
            self._states[self._number] = IN_WORK

    def lost(self) -> None:
        """Take the connection back."""
        if self._number is not None:
            self._guard.remove(self._number, self.transport.get_extra_info("socket").fileno())
            self._number = None


class _Transport:
    """A transport that takes its connection's offer to the supervisor back before anything of an answer is written."""

    __slots__ = (*_SAME, "_number", "_states", "_write")

    def __init__(self, transport: asyncio.Transport, states: Any, number: int) -> None:  # noqa: ANN401
        for name in _SAME:
            setattr(self, name, getattr(transport, name))
        self._states, self._number, self._write = states, number, transport.write

    def write(self, data: bytes) -> None:
        """Write."""
        if data != CONTINUE:
            self._states[self._number] = IDLE
        self._write(data)
