"""A plan: steps that need one another, run side by side, telling at each turn what runs and what is left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True)
class Step:
    """One piece of work: `needs` names the steps that must be done before `action` starts."""

    name: str
    action: Callable[[], object]
    needs: tuple[str, ...] = ()


class StepFailed(Exception):
    """A step raised; the message names it, and `__cause__` is what it raised."""


def run(steps: Sequence[Step], out: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
    """Run all steps, each as soon as its needs are met; raises StepFailed when the running ones have ended."""
    _Run(steps, out or sys.stderr, clock).to_the_end()


class _Run:
    def __init__(self, steps: Sequence[Step], out: TextIO, clock: Callable[[], float]) -> None:
        names = {step.name for step in steps}
        for step in steps:
            if unknown := set(step.needs) - names:
                raise ValueError(f"step '{step.name}' needs '{unknown.pop()}', which is not in the plan")
        self._left = list(steps)
        self._done: set[str] = set()
        self._running: dict[Future[object], tuple[Step, float]] = {}
        self._out, self._clock, self._start = out, clock, clock()

    def to_the_end(self) -> None:
        with ThreadPoolExecutor(max_workers=len(self._left) or 1) as pool:
            self._launch(pool)
            while self._running:
                finished, _ = wait(self._running, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._finish(future)
                self._launch(pool)
        if self._left:
            raise ValueError(f"step '{self._left[0].name}' waits for itself")

    def _launch(self, pool: ThreadPoolExecutor) -> None:
        for step in [step for step in self._left if self._done.issuperset(step.needs)]:
            self._left.remove(step)
            self._running[pool.submit(step.action)] = (step, self._clock())

    def _finish(self, future: Future[object]) -> None:
        step, began = self._running.pop(future)
        error = future.exception()
        if error is not None:
            running = "; waiting for what runs to end" if self._running else ""
            self._say(f"FAILED  {step.name}: {error}{running}")
            self._left.clear()
            wait(self._running)
            raise StepFailed(f"{step.name}: {error}") from error
        self._done.add(step.name)
        now = [step.name for step, _ in self._running.values()] + [step.name for step in self._left]
        rest = f"   left: {', '.join(now)}" if now else ""
        self._say(f"done    {step.name} ({self._clock() - began:.0f} s){rest}")

    def _say(self, text: str) -> None:
        minutes, seconds = divmod(int(self._clock() - self._start), 60)
        print(f"{minutes:02d}:{seconds:02d}  {text}", file=self._out, flush=True)
