"""What the server counts, in memory that its workers share.

Every process has a row of its own, and is the only one that writes to it, on its event loop: no lock is needed, and
any worker can add the rows up. A worker that replaces another goes on in its row, so that no counter ever falls.
"""

from __future__ import annotations

import mmap
import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Final

from modelwright.server.metrics import families
from modelwright.server.metrics.families import CODES, OTHER, PER_MODEL, Family, Protocol
from modelwright.timings import Timings

# Models that may come while the server runs; those past them are counted together, as `OTHER`.
SPARE_PLACES: Final = 64
# UTF-8 bytes of a model's name; names that agree so far are counted together.
_NAME_BYTES: Final = 128
_DOUBLE: Final = 8
# A row begins with these, and goes on with a place for each model: its name, then its numbers.
_PID, _RESTARTS, _USED, _HEAD = range(4)


def _layout() -> tuple[dict[tuple[Family, tuple[str, ...]], int], int]:
    offsets, offset = {}, _NAME_BYTES // _DOUBLE
    for family in PER_MODEL:
        for labels in family.series:
            offsets[family, labels] = offset
            offset += family.cells
    return offsets, offset


OFFSETS, _PLACE = _layout()
_IN_FLIGHT: Final = OFFSETS[families.IN_FLIGHT, ()]
_LOAD: Final = OFFSETS[families.LOAD_SECONDS, ()]
_QUEUE: Final = OFFSETS[families.QUEUE, ()]
_PREPROCESS: Final = OFFSETS[families.PREPROCESS, ()]
_PREDICT: Final = OFFSETS[families.PREDICT, ()]
_POSTPROCESS: Final = OFFSETS[families.POSTPROCESS, ()]
_EXPLAIN: Final = OFFSETS[families.EXPLAIN, ()]
_BATCH: Final = OFFSETS[families.BATCH_SIZE, ()]
_SIZES: Final = families.BATCH_SIZE.bounds
_BOUNDS: Final[tuple[float, ...]] = families.REQUEST_SECONDS.bounds
# Where a histogram's sum lies behind its buckets.
_SUM: Final = len(_BOUNDS) + 1
_REQUEST_SECONDS: Final = {protocol: OFFSETS[families.REQUEST_SECONDS, (protocol,)] for protocol in CODES}
# By a code as an answer has it: a number over HTTP, a name over gRPC.
_REQUESTS: Final[dict[Protocol, dict[int | str, int]]] = {
    protocol: {
        int(code) if code.isdigit() else code: OFFSETS[families.REQUESTS, (protocol, code)] for code in CODES[protocol]
    }
    for protocol in CODES
}


class Metrics:
    """The counts of one server; made before its workers fork, and used by each of them on its event loop only."""

    def __init__(self, workers: int = 1, models: int = 0) -> None:
        self._rows = workers + 1 if workers > 1 else 1
        self._places = 1 + models + SPARE_PLACES
        self._width = _HEAD + self._places * _PLACE
        self._bytes = memoryview(mmap.mmap(-1, self._rows * self._width * _DOUBLE))
        self._table: memoryview[float] = self._bytes.cast("d")
        self.take(0)

    def take(self, number: int) -> None:
        """Count in row `number` from now on: 0 is the first process's, and workers' begin at 1."""
        self._start = number * self._width
        self.row = self._table[self._start : self._start + self._width]
        self.row[_PID] = os.getpid()
        self._bases = {name: base - self._start for name, base in self._named(self._start)}
        if not self._bases:
            self._new(OTHER)
        self._forget_in_flight(self._start)

    def ended(self, number: int) -> None:
        """Say, in the workers' parent, that worker `number` is dead and is going to be replaced."""
        start = number * self._width
        self._table[start + _PID] = 0
        self._forget_in_flight(start)
        self.row[_RESTARTS] += 1

    def request(self, protocol: Protocol) -> Tally:
        """Begin to count a request."""
        return Tally(self, protocol)

    def loaded(self, model: str, seconds: float) -> None:
        """Note how long a model took to load."""
        self.row[self.base(model) + _LOAD] = seconds

    def batches(self, model: str) -> Callable[[int], None]:
        """Give what a model's batching is to call with the size of each batch."""

        def observe(size: int) -> None:
            base = self.base(model) + _BATCH
            self.row[base + bisect_left(_SIZES, size)] += 1
            self.row[base + len(_SIZES) + 1] += size

        return observe

    def base(self, model: str) -> int:
        """Give where a served model's numbers begin in this process's row."""
        known = self._bases.get(model)
        return self._new(model) if known is None else known

    def _new(self, model: str) -> int:
        used = int(self.row[_USED])
        name = model.encode()[:_NAME_BYTES].decode("utf-8", "ignore")
        known = self._bases.get(name)
        if known is not None:
            return known
        if used == self._places:
            return self._bases[OTHER]
        base = _HEAD + used * _PLACE
        at = (self._start + base) * _DOUBLE
        encoded = name.encode()
        self._bytes[at : at + len(encoded)] = encoded
        # Last, so that nobody reads half a name.
        self.row[_USED] = used + 1
        self._bases[name] = base
        return base

    def _forget_in_flight(self, start: int) -> None:
        for _, base in self._named(start):
            self._table[base + _IN_FLIGHT] = 0

    def _named(self, start: int) -> Iterator[tuple[str, int]]:
        """Give the models of the row at `start`, and where in the table their numbers begin."""
        for place in range(int(self._table[start + _USED])):
            base = start + _HEAD + place * _PLACE
            name = bytes(self._bytes[base * _DOUBLE : base * _DOUBLE + _NAME_BYTES])
            yield name.rstrip(b"\0").decode(), base

    def totals(self) -> dict[str, list[float]]:
        """Give every model's numbers, added up over all processes, in the order of `OFFSETS`."""
        totals: dict[str, list[float]] = {}
        for start in range(0, self._rows * self._width, self._width):
            for name, base in self._named(start):
                cells = list(self._table[base : base + _PLACE])
                total = totals.get(name)
                if total is not None:
                    # Each process loaded it, and not one after the other.
                    load = max(total[_LOAD], cells[_LOAD])
                    cells = [mine + yours for mine, yours in zip(total, cells, strict=True)]
                    cells[_LOAD] = load
                totals[name] = cells
        return totals

    @property
    def processes(self) -> dict[int, int]:
        """The pids of the processes that live, by row."""
        pids = ((row, int(self._table[row * self._width + _PID])) for row in range(self._rows))
        return {row: pid for row, pid in pids if pid}

    @property
    def workers(self) -> int:
        """How many processes serve now."""
        return len(self.processes) - (self._rows > 1)

    @property
    def restarts(self) -> int:
        """How many workers have died and were to be replaced."""
        return int(self._table[_RESTARTS])


class Tally(Timings):
    """One request being counted: `of` when its model is known to be served here, `end` once when it is over.

    A style fills in the timings; what it leaves at 0 is not counted.
    """

    def __init__(self, metrics: Metrics, protocol: Protocol) -> None:
        super().__init__()
        self.model = ""
        self.code: int | str = 0
        self._metrics = metrics
        self._protocol: Protocol = protocol
        self._base = 0
        self._begun = perf_counter()

    @property
    def has_model(self) -> bool:
        """Whether `of` has been called."""
        return self._base > 0

    def of(self, model: str) -> None:
        """Count the request under a model that is served here."""
        self.model = model
        self._base = self._metrics.base(model)
        self._metrics.row[self._base + _IN_FLIGHT] += 1.0

    def end(self, code: int | str) -> None:
        """Count the request as answered with an HTTP status or the name of a gRPC code."""
        self.code = code
        row, base = self._metrics.row, self._base
        if base:
            row[base + _IN_FLIGHT] -= 1.0
            _observe(row, base + _QUEUE, self.queue)
        else:
            base = self._metrics.base(OTHER)
        codes = _REQUESTS[self._protocol]
        row[base + (codes.get(code) or codes[OTHER])] += 1.0
        _observe(row, base + _REQUEST_SECONDS[self._protocol], perf_counter() - self._begun)
        if self.preprocess:
            _observe(row, base + _PREPROCESS, self.preprocess)
        if self.predict:
            _observe(row, base + _PREDICT, self.predict)
        if self.postprocess:
            _observe(row, base + _POSTPROCESS, self.postprocess)
        if self.explain:
            _observe(row, base + _EXPLAIN, self.explain)


def _observe(row: memoryview[float], base: int, seconds: float) -> None:
    # From below: nearly all times are in the first buckets. Compiled, this is a fifth of what `bisect` takes.
    bucket = 0
    for bound in _BOUNDS:
        if seconds <= bound:
            break
        bucket += 1
    row[base + bucket] += 1.0
    row[base + _SUM] += seconds
