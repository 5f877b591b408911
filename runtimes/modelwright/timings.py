"""Where one request's time goes, told by whichever part of the server knows."""

from __future__ import annotations

from contextvars import ContextVar


class Timings:
    """Where one request's time went, in seconds; 0 for a method that did not run or told nobody.

    `entered` is when its model was called, a moment of `perf_counter`, or 0; `phase` is the method in work; `waited` is
    what `predict` or `explain` had of `queue`; `batch` is how many requests shared the call that answered this one, 0
    where it had one of its own.
    """

    batch = 0

    def __init__(self) -> None:
        self.entered = self.waited = self.queue = self.preprocess = self.explain = self.predict = self.postprocess = 0.0
        self.phase = "predict"

    def settle(self, seconds: float) -> None:
        """Count what the model took in all as predict, where its style has not taken it apart."""
        if not (self.predict or self.explain):
            self.predict, self.waited = max(0.0, seconds - self.queue), self.queue

    def take(self, told: Timings) -> None:
        """Take over what another one, of a call that several requests share, was told; what it was not stays."""
        self.entered = told.entered or self.entered
        self.waited = told.waited or self.waited
        self.phase = told.phase or self.phase
        self.queue = told.queue or self.queue
        self.preprocess = told.preprocess or self.preprocess
        self.explain = told.explain or self.explain
        self.predict = told.predict or self.predict
        self.postprocess = told.postprocess or self.postprocess


# Set by the server around each request; a style that knows the parts writes them into it.
TIMINGS: ContextVar[Timings | None] = ContextVar("TIMINGS", default=None)
