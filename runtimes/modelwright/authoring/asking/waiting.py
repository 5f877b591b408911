"""A line on the terminal while somebody waits: how long already, and how much is done."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TextIO

_AFTER = 1.0
_EVERY = 0.1
_MARKS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_CLEAR = "\r\x1b[K"


class Waiting:
    """Shows `what` with the seconds since, once they are more than one, where `out` is a terminal.

    With `total` above 1 it counts: call `step` after each.
    """

    def __init__(self, what: str, total: int = 1, out: TextIO | None = None) -> None:
        self._what, self._total, self._done = what, total, 0
        self._out = out or sys.stderr
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True) if self._out.isatty() else None

    def step(self) -> None:
        """Count one as done."""
        self._done += 1

    def __enter__(self) -> Waiting:
        self._begun = time.monotonic()
        if self._thread:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _show(self) -> None:
        if self._ended.wait(_AFTER):
            return
        turn = 0
        while True:
            mark = _MARKS[turn % len(_MARKS)]
            count = f" {self._done}/{self._total}" if self._total > 1 else ""
            self._out.write(f"{_CLEAR}{mark} {self._what}{count}, {time.monotonic() - self._begun:.1f} s")
            self._out.flush()
            turn += 1
            if self._ended.wait(_EVERY):
                self._out.write(_CLEAR)
                self._out.flush()
                return
