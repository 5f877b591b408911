"""The gRPC server with its inference requests traced."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import grpc

from modelwright.server.caller import CALLER
from modelwright.server.grpc.metadata import headers_of

if TYPE_CHECKING:
    from modelwright.server.tracing.spans import Spans

_INFERENCE: Final = ("/ModelInfer", "/ModelStreamInfer")
# What the semantic conventions count as a server's own error; the rest are the caller's.
_OURS: Final = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
_Handler = Any  # grpc's RpcMethodHandler, whose stubs do not know the asynchronous kind


class TracedCalls(grpc.aio.ServerInterceptor):
    """Begins a span for each call that runs a model."""

    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]], details: grpc.HandlerCallDetails
    ) -> _Handler:
        """Give the call's handler, in its span."""
        handler = await continuation(details)
        if handler is None or not details.method.endswith(_INFERENCE):
            return handler
        carrier = headers_of(details.invocation_metadata)
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(self._traced(details.method, carrier, handler.unary_unary))
        return grpc.stream_stream_rpc_method_handler(self._traced(details.method, carrier, handler.stream_stream))

    def _traced(self, path: str, carrier: dict[str, str], answer: Callable[..., Awaitable[Any]]) -> Any:  # noqa: ANN401
        method = path.removeprefix("/")
        attributes = {"rpc.system.name": "grpc", "rpc.method": method}

        async def traced(asked: Any, context: Any) -> Any:  # noqa: ANN401 - a message or a stream of them, and grpc's
            with self._spans.serving(method, carrier, attributes) as span:
                try:
                    return await answer(asked, context)
                finally:
                    caller = CALLER.get()
                    if caller is not None and span.is_recording():
                        code = _name(context.code(), caller.tally.code if caller.tally else None)
                        span.set_attribute("rpc.response.status_code", code)
                        if code in _OURS:
                            span.set_attribute("error.type", code)
                        if caller.tally is not None:
                            self._spans.describe(span, caller, caller.tally, failed=code in _OURS)

        return traced


def _name(code: object, counted: int | str | None) -> str:
    """Name a call's status; grpc gives a number or a member, and nothing before a call that went well has ended."""
    if isinstance(counted, str):
        return counted
    if isinstance(code, grpc.StatusCode):
        return code.name
    return next((each.name for each in grpc.StatusCode if each.value[0] == code), "OK")
