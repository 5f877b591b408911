"""OpenTelemetry spans: a SERVER span for each inference request, with the author's methods as its children.

Names and attributes are the semantic conventions' for HTTP and RPC servers:
https://opentelemetry.io/docs/specs/semconv/. Only a process that serves may make `Spans`, after the fork: the
exporter's thread does not survive one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode

from modelwright.server import log
from modelwright.server.caller import Caller
from modelwright.server.metrics.counts import Tally

# Seconds between two lines about traces that do not get out.
_SELDOM: Final = 60.0
# Seconds that the last spans get to leave in; a collector that is well takes milliseconds.
_FLUSH: Final = 5.0
# In their order: the child's name and its field of the timings.
_PHASES: Final = (
    ("preprocess", "preprocess"),
    ("queue", "waited"),
    ("explain", "explain"),
    ("predict", "predict"),
    ("postprocess", "postprocess"),
)

# How many requests shared the call that a span is of.
_BATCH: Final = "modelwright.batch.size"


class Spans:
    """One process's tracer; `name` is the service's, unless an OTEL_ variable says otherwise."""

    def __init__(self, name: str) -> None:
        own = logging.getLogger("opentelemetry")
        if not own.handlers:
            own.handlers, own.propagate = [_Seldom(logging.WARNING)], False
        given = trace.get_tracer_provider()
        if isinstance(given, TracerProvider):
            # An author who has set up OpenTelemetry is not overruled; our spans go where theirs do.
            self._provider = given
        else:
            self._provider = TracerProvider(resource=_resource(name), shutdown_on_exit=False)
            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
            trace.set_tracer_provider(self._provider)
        self._tracer = self._provider.get_tracer("modelwright.server")

    @contextmanager
    def serving(self, name: str, carrier: Mapping[str, str], attributes: Mapping[str, str | int]) -> Iterator[Span]:
        """Have a SERVER span be the current one, a child of what `carrier`'s traceparent names."""
        parent = propagate.extract(carrier)
        span = self._tracer.start_span(name, parent, SpanKind.SERVER, attributes)
        token = otel_context.attach(trace.set_span_in_context(span, parent))
        try:
            yield span
        finally:
            span.end()
            otel_context.detach(token)

    def describe(self, span: Span, caller: Caller, tally: Tally, *, failed: bool) -> None:
        """Say in a request's span what is known at its end, and give it its children."""
        span.set_attribute("modelwright.request.id", caller.request_id)
        if tally.model:
            span.set_attribute("modelwright.model.name", tally.model)
        if failed:
            span.set_status(StatusCode.ERROR)
        if tally.entered:
            self._children(span, tally, failed=failed)

    def _children(self, span: Span, tally: Tally, *, failed: bool) -> None:
        inside = trace.set_span_in_context(span)
        now = time.time_ns()
        at = now - int((time.perf_counter() - tally.entered) * 1e9)
        for name, timing in _PHASES:
            took = int(getattr(tally, timing) * 1e9)
            attributes = {_BATCH: tally.batch} if tally.batch and name == "predict" else None
            if took:
                self._tracer.start_span(name, inside, attributes=attributes, start_time=at).end(at + took)
                at += took
            elif failed and name == tally.phase:
                child = self._tracer.start_span(name, inside, attributes=attributes, start_time=at)
                child.set_status(StatusCode.ERROR)
                child.end(now)

    async def close(self, seconds: float) -> None:
        """Send what has ended, in `seconds` at most."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            loop.call_soon_threadsafe(done.set)

        # A thread that nobody has to wait for: a collector may be out of reach.
        threading.Thread(target=shut_down, name="traces' end", daemon=True).start()
        try:
            async with asyncio.timeout(min(seconds, _FLUSH)):
                await done.wait()
        except TimeoutError:
            log.LOGGER.warning("the last traces did not reach their collector in time")


class _Seldom(logging.Handler):
    """Says once a minute that traces do not get out, in place of OpenTelemetry's line or traceback for each span."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on without its traceback, and switch its logger off for a minute.

        A filter would be too late: it is the making of a record for each span that would cost requests their time.
        """
        logger = logging.getLogger(record.name)
        logger.disabled = True
        later = threading.Timer(_SELDOM, setattr, (logger, "disabled", False))
        later.daemon = True
        later.start()
        log.LOGGER.warning("tracing: %s", record.getMessage())


def _resource(name: str) -> Resource:
    variables = os.environ
    if variables.get("OTEL_SERVICE_NAME") or "service.name=" in variables.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        return Resource.create()
    return Resource.create({"service.name": variables.get("INFERENCE_SERVICE_NAME") or name})
