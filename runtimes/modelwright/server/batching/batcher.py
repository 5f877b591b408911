"""Runs one model's calls: requests that may share one wait for each other, the others go alone.

A request that goes alone does so in its caller's own task, exactly as without batching. A shared call has a task of
its own, which a caller's deadline or leaving does not end unless it was the last one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

from modelwright.errors import DeadlineExceeded
from modelwright.server.batching.form import Form, Trial
from modelwright.server.batching.queue import BatchQueue
from modelwright.server.caller import CALLER
from modelwright.timings import TIMINGS, Timings

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

# Seconds. A call that is over so soon costs less than its part in a larger one.
_QUICK = 0.0002


@dataclass(slots=True)
class _Alone:
    """Tells a waiting request to go alone, after a shared call has failed where there is a trial."""

    trial: Trial | None = None


@dataclass(slots=True, eq=False)
class _Waiting:
    form: Form[Any, Any]
    asked: Any
    kind: Hashable
    rows: int
    told: asyncio.Future[Any]
    timings: Timings | None
    since: float
    taken: bool = False
    task: asyncio.Task[None] | None = None
    peers: Sequence[_Waiting] = ()


class Batcher:
    """The calls of one model. `limit` is in rows, `window` and `timeout` in seconds.

    `free` says whether the model can take one more call beside those that it is at; `observe` is told how many requests
    each call answers.
    """

    def __init__(
        self,
        limit: int,
        window: float,
        timeout: float,
        free: Callable[[], bool],
        observe: Callable[[int], None],
    ) -> None:
        self._limit = limit
        self._timeout = timeout
        self._free = free
        self._observe = observe
        self._queue: BatchQueue[_Waiting] = BatchQueue(limit, window)
        self._running = 0
        self._last = _QUICK
        self._looking = False
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def answer(self, form: Form[Asked, Answer], asked: Asked) -> Answer:
        """Answer one request, alone or together with others.

        Raises:
            DeadlineExceeded: the model took longer than `timeout`.
            asyncio.CancelledError: the caller left.
            Exception: what the model raised on this request.

        """
        quick = self._last < _QUICK and not self._running and not self._queue
        rows = 0 if quick or form.off else form.count(asked)
        if not 0 < rows < self._limit:
            self._running += 1
            return await self._alone(form, asked)
        waiting = self._enqueue(form, asked, rows)
        try:
            told = await waiting.told
        except asyncio.CancelledError:
            self._left(waiting)
            raise
        if isinstance(told, _Alone):
            if waiting.timings is not None:
                waiting.timings.queue += perf_counter() - waiting.since
            return await self._alone(form, asked, told.trial)
        answer: Answer = told
        return answer

    def _enqueue(self, form: Form[Asked, Answer], asked: Asked, rows: int) -> _Waiting:
        caller = CALLER.get()
        if caller is not None and caller.gone:
            raise asyncio.CancelledError
        loop = asyncio.get_running_loop()
        kind = (form.name, form.kind(asked))
        waiting = _Waiting(form, asked, kind, rows, loop.create_future(), TIMINGS.get(), perf_counter())
        if caller is not None:
            caller.waiting = waiting.told
        self._queue.put(waiting)
        self.look_again()
        return waiting

    def look_again(self) -> None:
        """Learn that a request has come or that the model may have become free."""
        if self._queue and not self._looking:
            # A turn of the loop later, when all that has come in with a request is in the queue too.
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def _left(self, waiting: _Waiting) -> None:
        """Forget a request whose caller has left or has waited long enough."""
        if not waiting.taken:
            self._queue.drop(waiting)
            return
        told = waiting.told
        if not told.cancelled() and told.exception() is None and isinstance(told.result(), _Alone):
            # And never will.
            self._finished(perf_counter())
            trial = told.result().trial
            if trial is not None:
                trial.end(well=False)
        elif waiting.task is not None and all(each.told.done() for each in waiting.peers):
            waiting.task.cancel()

    def _look(self) -> None:
        """Start what is to be started now, and see to being asked again when that changes."""
        self._looking = False
        now = perf_counter()
        while self._queue and (not self._running or self._free()):
            taken = self._queue.take(now, idle=not self._running)
            if not taken:
                self._wake(self._queue.due, now)
                return
            self._start(taken)

    def _wake(self, due: float | None, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(0.0, (due or now) - now), self._look)

    def _start(self, taken: Sequence[_Waiting]) -> None:
        for each in taken:
            each.taken = True
        live = [each for each in taken if not each.told.done()]
        if not live:
            return
        self._running += 1
        if len(live) == 1:
            live[0].told.set_result(_Alone())
            return
        # In no caller's context: the call belongs to none of them.
        task = asyncio.get_running_loop().create_task(self._together(live), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        for each in live:
            each.task, each.peers = task, live

    async def _alone(self, form: Form[Asked, Answer], asked: Asked, trial: Trial | None = None) -> Answer:
        begun = perf_counter()
        self._observe(1)
        well = False
        try:
            answer = await self._in_time(form.run(asked))
            well = True
        finally:
            self._finished(begun)
            if trial is not None:
                trial.end(well=well)
        return answer

    async def _together(self, several: Sequence[_Waiting]) -> None:
        begun = perf_counter()
        form = several[0].form
        asked = [each.asked for each in several]
        self._observe(len(several))
        timings = Timings() if several[0].timings is not None else None
        TIMINGS.set(timings)
        try:
            answers = form.split(await self._in_time(form.run(form.merge(asked))), asked)
        except asyncio.CancelledError:
            for each in several:
                each.told.cancel()
            raise
        except DeadlineExceeded as late:
            for each in several:
                if not each.told.done():
                    _share(each, len(several))
                    each.told.set_exception(DeadlineExceeded(late.message))
        except Exception as error:
            self._apart(form, several, error)
        else:
            form.strikes = 0
            for each, answer in zip(several, answers, strict=True):
                _share(each, len(several))
                _tell(each, answer, timings, begun)
        finally:
            for each in several:
                # They hold each other, and so their tensors, until the collector looks.
                each.task, each.peers = None, ()
            self._finished(begun)

    def _apart(self, form: Form[Any, Any], several: Sequence[_Waiting], error: Exception) -> None:
        """Have each request of a failed call tried alone, so that only those fail that are to blame."""
        waiting = [each for each in several if not each.told.done()]
        trial = form.failed(error, len(several), len(waiting))
        for each in waiting:
            self._running += 1
            each.told.set_result(_Alone(trial))

    async def _in_time(self, work: Awaitable[Answer]) -> Answer:
        try:
            async with asyncio.timeout(self._timeout) as limit:
                return await work
        except TimeoutError:
            if limit.expired():
                raise DeadlineExceeded(
                    f"the model took longer than the {self._timeout:g} s that the server's --batch_timeout allows"
                ) from None
            raise

    def _finished(self, begun: float) -> None:
        self._running -= 1
        now = perf_counter()
        self._last = now - begun
        self._queue.finished(now, self._last, idle=not self._running)
        self.look_again()


def _share(waiting: _Waiting, size: int) -> None:
    if waiting.timings is not None:
        waiting.timings.batch = size


def _tell(waiting: _Waiting, answer: object, timings: Timings | None, begun: float) -> None:
    if waiting.told.done():
        return
    if waiting.timings is not None and timings is not None:
        queued = waiting.timings.queue + begun - waiting.since
        # What the model's style does not know is the request's own, as if it had gone alone.
        waiting.timings.take(timings)
        waiting.timings.queue = queued + timings.queue
    waiting.told.set_result(answer)
