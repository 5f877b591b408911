"""What was submitted and not yet fetched, in the order of submission: `handle.results`, and `handle.get(ref)`."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Results:
    """Results by reference and in order, of both generations of NOS.

    None is dropped, where the first generation's queue, once full, dropped the oldest.
    """

    def __init__(self, size: Callable[[], int]) -> None:
        self._size = size
        self._futures: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()

    def add(self, future: Future[Any]) -> str:
        """Keep a result to come; give its reference."""
        ref = uuid.uuid4().hex
        with self._lock:
            self._futures[ref] = future
        return ref

    def ready(self) -> bool:
        """Tell whether to fetch before more is submitted: the queue is full. Also where nothing is left to fetch.

        NOS's document fetches `if ready()` after each submission, and at the end `while not ready()`: with both
        meanings at once, each result is fetched exactly once and nobody waits for one that does not come.
        """
        outstanding = len(self)
        return not outstanding or outstanding >= self._size()

    def has_next(self) -> bool:
        """Tell whether there is, or is going to be, something to fetch."""
        return bool(self._futures)

    def get_next(self) -> Any:  # noqa: ANN401 - the author's
        """Fetch the oldest result; wait for it.

        Raises:
            StopIteration: everything has been fetched.
            Exception: what the method raised.

        """
        with self._lock:
            ref = next(iter(self._futures), None)
            if ref is None:
                raise StopIteration("no result is left to fetch; submit something first")
            future = self._futures.pop(ref)
        return future.result()

    def get(self, ref: str | None = None) -> Any:  # noqa: ANN401 - the author's
        """Fetch the result of one submission, or the oldest; raises KeyError for one that was fetched already."""
        return self.get_next() if ref is None else self._taken(ref).result()

    async def async_get(self, ref: str) -> Any:  # noqa: ANN401 - the author's
        """Fetch as `get` does without holding up the event loop."""
        return await asyncio.wrap_future(self._taken(ref))

    def __len__(self) -> int:
        return len(self._futures)

    def _taken(self, ref: str) -> Future[Any]:
        with self._lock:
            future = self._futures.pop(ref, None)
        if future is None:
            raise KeyError(f"{ref!r} is no result that is still to be fetched: each can be fetched once")
        return future
