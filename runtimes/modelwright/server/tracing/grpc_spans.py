"""The gRPC server with its inference requests traced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from modelwright.server.caller import CALLER
from modelwright.server.grpc.calls import Answer
from modelwright.server.grpc.wire.call import Call
from modelwright.server.grpc.wire.terms import Route

if TYPE_CHECKING:
    from modelwright.server.tracing.spans import Spans

_INFERENCE: Final = ("/ModelInfer", "/ModelStreamInfer")
# What the semantic conventions count as a server's own error; the rest are the caller's.
_OURS: Final = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}


def traced(routes: Mapping[str, Route], spans: Spans) -> dict[str, Route]:
    """Give the routes with a span for each call that runs a model."""
    return {
        path: Route(_traced(path, route.answer, spans), unary=route.unary) if path.endswith(_INFERENCE) else route
        for path, route in routes.items()
    }


def _traced(path: str, answer: Answer, spans: Spans) -> Answer:
    method = path.removeprefix("/")
    attributes = {"rpc.system.name": "grpc", "rpc.method": method}

    async def in_span(call: Call) -> None:
        with spans.serving(method, call.headers, attributes) as span:
            try:
                await answer(call)
            finally:
                caller = CALLER.get()
                if caller is not None and span.is_recording():
                    counted = caller.tally.code if caller.tally else None
                    code = counted if isinstance(counted, str) else call.code.name
                    span.set_attribute("rpc.response.status_code", code)
                    if code in _OURS:
                        span.set_attribute("error.type", code)
                    if caller.tally is not None:
                        spans.describe(span, caller, caller.tally, failed=code in _OURS)

    return in_span
