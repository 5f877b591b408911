"""Where synchronous model code runs: threads, or the event loop itself while the code has measured fast.

A hop to a thread and back costs more than a small numpy model does. So each function starts in the pool, and moves
onto the loop once most of its calls there took next to nothing. One slow call on the loop sends it back, for a long
while; the second for good, so that a model with rare slow calls holds the loop up twice in its life. A call that was
slow because the machine ran something else meanwhile, which its thread's count of context switches tells, is no fault
of the code's.
"""

import asyncio
import contextvars
from asyncio.events import _get_running_loop, _set_running_loop  # documented as the loop implementations' own
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from resource import RUSAGE_THREAD, getrusage, struct_rusage
from time import perf_counter
from typing import Any, Final, TypeVar

from modelwright.server.admission import Admission
from modelwright.server.caller import CALLER
from modelwright.timings import TIMINGS

Answer = TypeVar("Answer")

FAST = 0.0005  # seconds; about five times what the hop costs
SLOW = 0.02  # seconds; what health may wait at most
CERTAIN = 0.1  # seconds; so long is no preemption
STREAK = 32  # more fast calls than slow ones, by this many, before the first move onto the loop
SECOND_STREAK = 1024
_WEIGHT = 0.1  # of the newest call in the moving average
_running_loop: Final = _get_running_loop
_set_loop: Final = _set_running_loop
_used: Final = getrusage
_now: Final = perf_counter
_THREAD: Final = RUSAGE_THREAD


class Pace:
    """How fast one function has been, and so where its next call runs."""

    __slots__ = ("average", "code", "inline", "slow_calls", "streak")

    def __init__(self, code: object) -> None:
        self.code = code
        self.inline = False
        self.average = 0.0
        self.streak = 0
        # What has no code is never run inline.
        self.slow_calls = 2 if code is None else 0

    def took(self, seconds: float) -> None:
        """Take into account a call in a thread, or one on the loop that was not slow."""
        if self.inline:
            self.average += _WEIGHT * (seconds - self.average)
            if self.average > 2 * FAST:
                self.inline, self.streak = False, 0
            return
        # Halved, not ended, by a slow one: beside busy threads a fast call sometimes waits for the interpreter lock.
        self.streak = self.streak + 1 if seconds < FAST else self.streak // 2
        if self.slow_calls < 2 and self.streak >= (SECOND_STREAK if self.slow_calls else STREAK):
            self.inline, self.average = True, 0.0

    def held_the_loop(self) -> None:
        """Take a slow call on the loop into account."""
        self.inline, self.streak = False, 0
        self.slow_calls += 1


class Execution:
    """One process's place for synchronous code, and the bound on what waits for it."""

    def __init__(self, threads: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="model")
        self.threads = threads
        self._one_at_a_time = threads == 1
        # By the id of the code, which each one keeps alive: its hash is one of all that it does.
        self._paces: dict[int, Pace] = {}
        self._work: set[Future[Any]] = set()
        self.admission = Admission(threads, queue)

    async def call(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        """Run `function(*arguments)` without holding up the event loop.

        Raises:
            asyncio.CancelledError: the caller left before a thread was free.

        """
        pace = self.pace(function)
        if self.at_once(pace):
            return inline(pace, function, arguments)
        return await self._in_thread(pace, function, arguments)

    def pace(self, function: Callable[..., Any]) -> Pace:
        """Give what is known of a function."""
        # A bound method is a new object at each access, its code is not.
        code = getattr(function, "__code__", None)
        pace = self._paces.get(id(code))
        return self._paces.setdefault(id(code), Pace(code)) if pace is None else pace

    def at_once(self, pace: Pace) -> bool:
        """Whether a function of this pace is to be run with `inline`."""
        # Not beside a call in the one thread: code that is never called concurrently may rely on it.
        return pace.inline and not (self._one_at_a_time and self._work)

    async def _in_thread(self, pace: Pace, function: Callable[..., Answer], arguments: tuple[Any, ...]) -> Answer:
        caller = CALLER.get()
        if caller is not None and caller.gone:
            raise asyncio.CancelledError
        context = contextvars.copy_context()
        work = self._pool.submit(context.run, _timed, pace, _now(), function, arguments)
        self._work.add(work)
        work.add_done_callback(self._work.discard)
        if caller is not None:
            caller.waiting = work
        return await asyncio.wrap_future(work)

    @property
    def busy(self) -> bool:
        """Whether a thread still runs model code, awaited or not."""
        return any(work.running() for work in list(self._work))

    def close(self) -> None:
        """Give up what waits; what runs goes on in its thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _timed(pace: Pace, asked: float, function: Callable[..., Answer], arguments: tuple[Any, ...]) -> Answer:
    begun = _now()
    timings = TIMINGS.get()
    if timings is not None:
        timings.queue += begun - asked
    try:
        return function(*arguments)
    finally:
        pace.took(_now() - begun)


def inline(pace: Pace, function: Callable[..., Answer], arguments: tuple[Any, ...]) -> Answer:
    """Run `function(*arguments)` here and now, where `Execution.at_once` says so."""
    # The code sees no running loop, exactly as in a thread: `asyncio.run` in a handler works here and there.
    loop = _running_loop()
    _set_loop(None)
    before = _used(_THREAD)
    begun = _now()
    try:
        return function(*arguments)
    finally:
        seconds = _now() - begun
        _set_loop(loop)
        if seconds < SLOW:
            pace.took(seconds)
        elif _own_doing(before, _used(_THREAD), seconds):
            pace.held_the_loop()


def _own_doing(before: struct_rusage, after: struct_rusage, seconds: float) -> bool:
    """Tell a call that computed or waited for long from one during which the machine ran something else."""
    computed = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds > CERTAIN or computed > SLOW / 2 or after.ru_nvcsw > before.ru_nvcsw
