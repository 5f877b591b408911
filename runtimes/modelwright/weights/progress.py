"""A log line every few seconds: an init container that downloads for minutes must not look stuck."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

log = logging.getLogger("modelwright.weights")

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_WINDOW = 6


def human(size: float) -> str:
    """Return `size` bytes for a reader, in binary units with one decimal: 1536 is "1.5 KiB"."""
    for unit in _UNITS[:-1]:
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} {_UNITS[-1]}"


def line(done: int, total: int | None, rate: float) -> str:
    """Return the log line for `done` of `total` bytes (None: unknown) at `rate` bytes per second."""
    speed = f"{human(rate)}/s"
    if total is None:
        return f"fetched {human(done)}, {speed}"
    percent = 100 if total == 0 else min(100, done * 100 // total)
    left = f", {round((total - done) / rate)} s left" if rate > 0 and done < total else ""
    return f"fetched {human(done)} of {human(total)} ({percent}%), {speed}{left}"


class Progress:
    """Counts bytes from any thread and logs a line every `every` seconds while it is entered, and one at the end.

    `measure` returns the bytes so far where somebody else's client does the fetching and cannot be counted.
    """

    def __init__(self, total: int | None, *, every: float = 3.0, measure: Callable[[], int] | None = None) -> None:
        self._total = total
        self._every = every
        self.measure = measure
        self._done = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._began = (0.0, 0)
        self._samples: deque[tuple[float, int]] = deque(maxlen=_WINDOW)
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def add(self, size: int) -> None:
        """Count `size` more bytes; negative where an attempt is thrown away."""
        with self._lock:
            self._done += size

    @property
    def done(self) -> int:
        """The bytes so far."""
        return self.measure() if self.measure else self._done

    def __enter__(self) -> Self:
        self._began = (time.monotonic(), self.done)
        self._samples.append(self._began)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
        if error is None:
            self._log(*self._began)

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            now, done = self._log(*self._samples[0])
            self._samples.append((now, done))

    def _log(self, then: float, before: int) -> tuple[float, int]:
        """Log a line with the rate since `then`, when there were `before` bytes, and return both as they are now."""
        now, done = time.monotonic(), self.done
        log.info(line(done, self._total, max(0.0, (done - before) / max(now - then, 1e-3))))
        return now, done
