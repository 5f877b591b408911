"""One way of asking a model for answers to several requests by one call, and whether that works."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from modelwright.server import log
from modelwright.server.batching.batches import Unsplittable

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

# Shared calls in a row that failed although each of their requests succeeded alone: the model cannot be batched.
_STRIKES = 3


@dataclass(slots=True)
class Form(Generic[Asked, Answer]):
    """V2 or V1: how a model is called, and how its requests are merged and their answers told apart.

    `name` is the requests' in the log. `count` gives the rows of a request, 0 for one that cannot be merged. `split`
    raises Unsplittable. While `off`, every request goes alone.
    """

    name: str
    run: Callable[[Asked], Awaitable[Answer]]
    count: Callable[[Asked], int]
    kind: Callable[[Asked], Hashable]
    merge: Callable[[Sequence[Asked]], Asked]
    split: Callable[[Answer, Sequence[Asked]], list[Answer]]
    off: bool = False
    strikes: int = 0
    has_failed: bool = False

    def failed(self, error: Exception, requests: int, left: int) -> Trial:
        """Learn that a call for several requests failed; those that are `left` of them are to be tried alone."""
        # Once is enough: each request that is to blame says so itself.
        level, self.has_failed = logging.DEBUG if self.has_failed else logging.INFO, True
        # The model's own words may be about what a caller sent.
        reason = str(error) if isinstance(error, Unsplittable) else type(error).__name__
        log.LOGGER.log(level, "a call for %d %s failed: %s; each of them is tried alone", requests, self.name, reason)
        return Trial(self, left, all_well=left == requests)

    def cannot(self) -> None:
        """Learn that a call for several requests failed though each of them succeeded alone."""
        self.strikes += 1
        if self.strikes < _STRIKES or self.off:
            return
        self.off, self.strikes = True, 0
        log.LOGGER.warning(
            "%s are not batched any more: %d calls in a row failed that had several of them, all of which succeeded "
            "alone; the model must answer one row for each row of its inputs",
            self.name, _STRIKES,
        )  # fmt: skip


@dataclass(slots=True)
class Trial:
    """The requests of one failed call, each tried alone."""

    form: Form[Any, Any]
    left: int
    all_well: bool

    def end(self, *, well: bool) -> None:
        """Learn how one of them went."""
        self.left -= 1
        self.all_well = self.all_well and well
        if not self.left and self.all_well:
            self.form.cannot()
