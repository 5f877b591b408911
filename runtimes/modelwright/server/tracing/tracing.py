"""Whether requests are traced, and what is current; imports no OpenTelemetry, which costs 0.1 s, unless they are."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.server.tracing.spans import Spans

# Not `log`'s, which asks this module for ids.
_LOGGER = logging.getLogger("modelwright.server")
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def wanted(environment: Mapping[str, str]) -> bool:
    """Tell whether traces are asked for; the names are the OpenTelemetry specification's."""
    exporters = environment.get("OTEL_TRACES_EXPORTER") or "otlp"
    return (
        any(environment.get(name) for name in _ENDPOINTS)
        and "otlp" in (each.strip() for each in exporters.split(","))
        and environment.get("OTEL_SDK_DISABLED", "").strip().lower() != "true"
    )


def load(environment: Mapping[str, str]) -> type[Spans] | None:
    """Import what tracing needs, before workers fork; None where there are to be no traces, or, said so, cannot be."""
    if not wanted(environment):
        return None
    try:
        from modelwright.server.tracing.spans import Spans  # noqa: PLC0415
    except ImportError as error:
        _LOGGER.warning("tracing is off: %s; install modelwright[tracing] or unset %s", error, _ENDPOINTS[0])
        return None
    except ValueError as error:
        # OpenTelemetry reads OTEL_PROPAGATORS and OTEL_PYTHON_CONTEXT as it is imported.
        _LOGGER.warning("tracing is off: an OTEL_ variable is no good: %s", error)
        return None
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), "http/protobuf")
    if protocol != "http/protobuf":
        _LOGGER.warning("%s=%s: traces leave over http/protobuf, whose port is mostly 4318", _PROTOCOLS[1], protocol)
    return Spans


def ids() -> dict[str, str]:
    """Give the current span's `trace_id` and `span_id` for a log line, whoever began it; empty where there is none."""
    api = _api("opentelemetry.trace")
    context = api.get_current_span().get_span_context() if api else None
    if context is None or not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def record(error: BaseException | None) -> None:
    """Note in the current span what the author's code raised."""
    api = _api("opentelemetry.trace")
    if api is not None and error is not None:
        api.get_current_span().record_exception(error)


def forward(headers: dict[str, str]) -> None:
    """Add the current span's W3C context to a request that is sent on its behalf."""
    api = _api("opentelemetry.propagate")
    if api is not None:
        api.inject(headers)


def _api(name: str) -> Any:  # noqa: ANN401 - a module
    # Nobody can have begun a span without it.
    return sys.modules.get(name)
