"""`GET /metrics`: what the server has counted and what an author's own code has, as Prometheus reads it.

prometheus_client is imported by the first scrape, and everything is done in a thread: a server that nobody scrapes
does not pay, and health never waits for one that somebody does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from modelwright import author_metrics
from modelwright.server import log
from modelwright.server.metrics import families
from modelwright.server.metrics.counts import OFFSETS, Metrics
from modelwright.server.metrics.families import FAMILIES, PER_MODEL, Family
from modelwright.server.metrics.footprint import footprint
from modelwright.server.rest.headers import Headers

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_OPEN_METRICS: Final = b"application/openmetrics-text"


class Exposition:
    """Renders the metrics of all processes, whichever of them is asked."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def answer(self, asked: Headers) -> tuple[int, Headers, bytes]:
        """Answer a scrape: OpenMetrics where its Accept names that, else Prometheus' text format."""
        open_metrics = any(name == b"accept" and _OPEN_METRICS in value.lower() for name, value in asked)
        content_type, body = await asyncio.to_thread(self._render, open_metrics)
        return 200, [(b"content-type", content_type.encode())], body

    def collect(self) -> Iterator[Metric]:
        """Give the server's families, then the author's that have names of their own."""
        yield from _per_model(self._metrics.totals())
        yield _metric(families.WORKERS, [((), [self._metrics.workers])])
        yield _metric(families.RESTARTS, [((), [self._metrics.restarts])])
        sizes = {row: footprint(pid) for row, pid in self._metrics.processes.items()}
        known = [((f"worker-{row}" if row else "main",), size) for row, size in sizes.items() if size]
        yield _metric(families.RESIDENT, [(labels, [resident]) for labels, (resident, _) in known])
        yield _metric(families.PROPORTIONAL, [(labels, [proportional]) for labels, (_, proportional) in known])
        # The genuine kserve, where an author reaches for it, has a registry with four names that are ours here.
        ours = {family.name.removesuffix("_total") for family in FAMILIES}
        try:
            yield from [metric for metric in author_metrics.collect() if metric.name not in ours]
        except Exception:
            # A collector is the author's code too, and must not hide what the server knows.
            log.LOGGER.exception("the model's own metrics could not be collected")

    def _render(self, open_metrics: bool) -> tuple[str, bytes]:
        if open_metrics:
            from prometheus_client.openmetrics import exposition as encoder  # noqa: PLC0415

            return encoder.CONTENT_TYPE_LATEST, encoder.generate_latest(self)  # type: ignore[no-untyped-call]
        from prometheus_client import exposition  # noqa: PLC0415

        return exposition.CONTENT_TYPE_PLAIN_0_0_4, exposition.generate_latest(self)


def _per_model(totals: dict[str, list[float]]) -> Iterator[Metric]:
    for family in PER_MODEL:
        series = []
        for labels in family.series:
            offset = OFFSETS[family, labels]
            for model, cells in totals.items():
                values = cells[offset : offset + family.cells]
                # A gauge at 0 tells something, a counter or a histogram that has counted nothing does not.
                if any(values) or (family is families.IN_FLIGHT and model != families.OTHER):
                    series.append(((model, *labels), values))
        yield _metric(family, series)


def _metric(family: Family, series: Iterable[tuple[tuple[str, ...], list[float]]]) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily  # noqa: PLC0415

    if family.kind == "histogram":
        histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        bounds = [*(str(bound) for bound in family.bounds), "+Inf"]
        for labels, values in series:
            histogram.add_metric(labels, list(zip(bounds, accumulate(values[:-1]), strict=True)), values[-1])
        return histogram
    made = (CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily)(
        family.name, family.help, labels=family.labels
    )
    for labels, values in series:
        made.add_metric(labels, values[0])
    return made
