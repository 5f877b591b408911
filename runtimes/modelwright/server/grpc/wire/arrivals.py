"""Requests that do not arrive: REST's rule for slow bodies, for each message of a connection's calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from modelwright.server.limits import SLOWEST_BODY

if TYPE_CHECKING:
    from modelwright.server.grpc.wire.call import Call

# Looks within the time that a message may lag behind, and seconds between two where that time is long.
_LOOKS: Final = 4
_LONGEST: Final = 1.0


class Arrivals:
    """Ends calls whose request lags behind 16 KiB/s by more than `timeout` seconds.

    Nothing is kept for a message that arrives whole: while one may be incomplete, all calls are looked at from time to
    time. Messages that come at once share the connection, and so the time.
    """

    def __init__(self, calls: Mapping[int, Call], loop: asyncio.AbstractEventLoop, timeout: float) -> None:
        self._calls = calls
        self._loop = loop
        self._timeout = timeout
        self._every = min(_LONGEST, timeout / _LOOKS)
        # The next look, where there will be one.
        self.timer: asyncio.TimerHandle | None = None

    def expect(self) -> None:
        """See that what is incomplete now becomes whole in time."""
        if self.timer is None:
            self.timer = self._loop.call_later(self._every, self._look)

    def stop(self) -> None:
        """Wait for nothing any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _look(self) -> None:
        self.timer = None
        incomplete = [call for call in self._calls.values() if call.incomplete]
        if not incomplete:
            return
        self.expect()
        moving = sum(call.received > call.known for call in incomplete)
        for call in incomplete:
            moved = call.received - call.known
            call.known = call.received
            call.lag -= moved / SLOWEST_BODY
            if not call.held_back:
                # The time between looks, not since the last: a late one means that it was we who did not read.
                call.lag += self._every / (moving if moved else moving + 1)
            if call.lag > self._timeout:
                call.run_out(_told(self._timeout))


def _told(timeout: float) -> str:
    return (
        f"the request did not arrive in time: it may lag behind {SLOWEST_BODY // 1024} KiB/s by {timeout:g} s, "
        "the server's --body_timeout"
    )
