"""The client behind the current request: its request id, and whether it is still there."""

import asyncio
import itertools
import os
import re
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any, Final

from modelwright.server.metrics.counts import Tally

REQUEST_ID_HEADER: Final = b"x-request-id"
# What may be echoed into a header and a log line.
_ACCEPTABLE = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_numbers = itertools.count(1)


class Caller:
    """One request's client; when it leaves, `waiting` is given up unless it has begun, and `task` wherever it is."""

    __slots__ = ("_id", "gone", "headers", "tally", "task", "waiting")

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.headers = headers
        self.waiting: Future[Any] | asyncio.Future[Any] | None = None
        self.task: asyncio.Task[Any] | None = None
        # The request in the metrics; None for one that runs no model.
        self.tally: Tally | None = None
        self.gone = False
        self._id: str | None = None

    @property
    def given_id(self) -> bytes | None:
        """The caller's own `X-Request-Id`, where it is short and printable."""
        for name, value in self.headers:
            if name == REQUEST_ID_HEADER:
                return value if _ACCEPTABLE.fullmatch(value) else None
        return None

    @property
    def request_id(self) -> str:
        """The caller's own id or one made when it is first asked for."""
        if self._id is None:
            given = self.given_id
            # The pid keeps workers apart; it is read here because workers fork after the import.
            self._id = given.decode() if given else f"{os.getpid():x}-{_STARTED}-{next(_numbers):x}"
        return self._id

    def count(self, code: int | str) -> None:
        """Count the request with the code of its answer, if it runs a model and has not been counted yet."""
        tally = self.tally
        if tally is not None and not tally.code:
            tally.end(code)

    def leave(self) -> None:
        """Say that nobody waits for the answer any more."""
        self.gone = True
        if self.waiting is not None:
            self.waiting.cancel()
        if self.task is not None:
            self.task.cancel()


_STARTED = os.urandom(4).hex()
CALLER: ContextVar[Caller | None] = ContextVar("CALLER", default=None)
