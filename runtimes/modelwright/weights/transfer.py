"""Parallel, resumable transfer of parts: bounded threads, a few MiB of memory each."""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from modelwright.weights import verify
from modelwright.weights.errors import InterruptedTransferError, WeightsError
from modelwright.weights.partial import Partial
from modelwright.weights.progress import Progress
from modelwright.weights.source import Item, Reader

PART = 64 * 1024 * 1024
"""Bytes of one part: large enough that a request's latency does not matter, small enough to repeat."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` to `stop` (exclusive; None is the end) of one item."""

    item: Item
    start: int
    stop: int | None

    @property
    def size(self) -> int:
        """The part's bytes; 0 where unknown."""
        return 0 if self.stop is None else self.stop - self.start


def parts(item: Item) -> Iterator[Part]:
    """Cut an item into parts. One that cannot be read by ranges, or is empty, is a single part."""
    if item.size is None or not item.ranges or item.size <= PART:
        yield Part(item, 0, item.size)
        return
    for start in range(0, item.size, PART):
        yield Part(item, start, min(start + PART, item.size))


class Transfer:
    """Fetches items with `read` into `partial.files`.

    `workers` parts at a time, `attempts` per part with `pause`, 2 * `pause`, ... seconds in between.
    """

    def __init__(self, uri: str, read: Reader, *, workers: int = 4, attempts: int = 3, pause: float = 1.0) -> None:
        self._uri = uri
        self._read = read
        self._workers = workers
        self._attempts = attempts
        self._pause = pause
        self._stopped = threading.Event()

    def run(self, items: Sequence[Item], partial: Partial, progress: Progress) -> None:
        """Fetch what is not there yet. Raises the first `WeightsError`; the other parts stop at once."""
        todo = self._todo(items, partial, progress)
        with ThreadPoolExecutor(self._workers, thread_name_prefix="fetch") as pool:
            futures = [pool.submit(self._fetch, part, partial, progress) for part in todo]
            done, waiting = wait(futures, return_when=FIRST_EXCEPTION)
            self._stopped.set()
            for future in waiting:
                future.cancel()
            errors = [error for future in done if (error := future.exception()) is not None]
        if errors:
            raise errors[0]

    def _todo(self, items: Sequence[Item], partial: Partial, progress: Progress) -> list[Part]:
        finished = partial.finished()
        todo = []
        for item in items:
            path = verify.contained(partial.files, item.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            there = item.etag is not None and path.is_file()
            for part in parts(item):
                if there and (item.name, part.start) in finished:
                    progress.add(part.size)
                else:
                    todo.append(part)
        return todo

    def _fetch(self, part: Part, partial: Partial, progress: Progress) -> None:
        path = verify.contained(partial.files, part.item.name)
        at = part.start
        for attempt in range(1, self._attempts + 1):
            try:
                at = self._write(part, at, path, progress)
                break
            except _BrokeOffError as broken:
                if attempt == self._attempts or self._stopped.is_set():
                    raise WeightsError(
                        self._uri,
                        f"fetching {part.item.key!r} broke off {attempt} times, at last: {broken.reason}",
                        "Check the storage's health and the network between it and the pod; what has been "
                        "fetched is kept for the next attempt.",
                    ) from broken
                progress.add(0 if part.item.ranges else part.start - broken.at)
                at = broken.at if part.item.ranges else part.start
                self._stopped.wait(self._pause * attempt)
        if not self._stopped.is_set():
            partial.finish(part.item.name, part.start)

    def _write(self, part: Part, at: int, path: Path, progress: Progress) -> int:
        """Write from byte `at` on and return the byte after the last one."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            if part.item.size == 0 or at == part.stop:
                return at
            if not part.item.ranges:
                os.ftruncate(descriptor, 0)
            with closing(self._read(part.item, at, part.stop)) as chunks:
                for chunk in chunks:
                    if self._stopped.is_set():
                        return at
                    self._check_length(part, at + len(chunk))
                    at += _write_all(descriptor, chunk, at)
                    progress.add(len(chunk))
            if part.stop is not None and at != part.stop:
                raise InterruptedTransferError(f"{part.stop - at} bytes are missing at the end")
        except InterruptedTransferError as reason:
            raise _BrokeOffError(at, str(reason)) from reason
        except OSError as error:
            raise WeightsError(
                self._uri, f"writing {path.name!r} failed: {error.strerror}", "Check the volume's free space."
            ) from error
        finally:
            os.close(descriptor)
        return at

    def _check_length(self, part: Part, end: int) -> None:
        if part.stop is not None and end > part.stop:
            raise WeightsError(
                self._uri,
                f"{part.item.key!r} is longer than the {part.item.size} bytes announced",
                "It changed while it was fetched: try again once its upload is over.",
            )


class _BrokeOffError(Exception):
    """An attempt that got as far as byte `at`."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(reason)
        self.at = at
        self.reason = reason


def _write_all(descriptor: int, chunk: bytes, at: int) -> int:
    view = memoryview(chunk)
    while view:
        view = view[os.pwrite(descriptor, view, at + len(chunk) - len(view)) :]
    return len(chunk)
