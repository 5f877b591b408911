"""ModelStreamInfer: many requests on one stream, answered in order, each in as many pieces as its model gives.

The wire is Triton's: a request that fails is an `error_message`, and the stream goes on. Source:
https://github.com/triton-inference-server/common/blob/main/protobuf/grpc_service.proto
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from time import perf_counter
from typing import Final

import grpc

from modelwright.codecs import grpc as codec
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb
from modelwright.codecs.proto import wire
from modelwright.errors import InferenceError, ModelNotReady
from modelwright.model import TIMINGS, Model
from modelwright.server import log
from modelwright.server.arguments import Arguments
from modelwright.server.caller import CALLER, REQUEST_ID_HEADER, Caller
from modelwright.server.failure import failed
from modelwright.server.grpc.calls import Context, cancelled
from modelwright.server.grpc.metadata import headers_of
from modelwright.server.grpc.status import code_of
from modelwright.server.health import Health
from modelwright.server.limits import Admission
from modelwright.server.metrics.counts import Metrics, Tally
from modelwright.server.streams import close, pieces_of
from modelwright.tensors import InferenceResponse

_PATH: Final = "/inference.GRPCInferenceService/ModelStreamInfer"
_RESPONSE: Final = pb.ModelStreamInferResponse.INFER_RESPONSE_FIELD_NUMBER
# Triton's: a request may ask for an empty response that says that it was the last one.
_WANTS_FINAL: Final = "triton_enable_empty_final_response"
_FINAL: Final = "triton_final_response"
# How often a stream on which nothing comes looks whether the server drains, in seconds.
_LOOK_S: Final = 1.0

Prepare = Callable[[codec.Call, Tally], Model]


class InferStreams:
    """Serves streams of requests; `prepare` gives the model of each, or refuses it; `attribute` counts what was."""

    def __init__(
        self,
        prepare: Prepare,
        attribute: Callable[[bytes, Tally], None],
        admission: Admission,
        health: Health,
        arguments: Arguments,
        metrics: Metrics,
    ) -> None:
        self._prepare = prepare
        self._attribute = attribute
        self._metrics = metrics
        self._admission = admission
        self._health = health
        self._latencies = arguments.enable_latency_logging
        self._access_log = arguments.access_log

    async def serve(self, messages: AsyncIterator[bytes], context: Context) -> None:
        """Serve one stream until its client has sent and received everything, or the server drains."""
        begun = perf_counter()
        headers = headers_of(context.invocation_metadata())
        caller = Caller([(key.encode(), value.encode()) for key, value in headers.items()])
        CALLER.set(caller)
        if caller.given_id is not None:
            context.set_trailing_metadata(((REQUEST_ID_HEADER.decode(), caller.request_id),))
        code = grpc.StatusCode.OK
        try:
            while (message := await self._next(messages)) is not None:
                await self._answer(message, headers, caller, context)
        except ModelNotReady as draining:
            code = grpc.StatusCode.UNAVAILABLE
            await context.abort(code, draining.message)
        finally:
            if self._access_log:
                log.access("gRPC", _PATH, code.value[0], caller.request_id, perf_counter() - begun)

    async def _next(self, messages: AsyncIterator[bytes]) -> bytes | None:
        """Wait for a request; None when the client sends no more.

        Raises:
            ModelNotReady: the server drains, and the stream is idle.

        """

        async def read() -> bytes | None:
            return await anext(messages, None)

        waiting = asyncio.ensure_future(read())
        try:
            while not (await asyncio.wait({waiting}, timeout=_LOOK_S))[0]:
                if self._health.draining:
                    raise ModelNotReady("the server is stopping; open the stream anew")
            return await waiting
        finally:
            waiting.cancel()

    async def _answer(self, message: bytes, headers: dict[str, str], caller: Caller, context: Context) -> None:
        tally = self._metrics.request("grpc")
        TIMINGS.set(tally)
        identity = ""
        code = grpc.StatusCode.OK
        try:
            entered = tally.entered = self._admission.enter()
            try:
                call = codec.decode(message, headers)
                identity = call.request.id or ""
                await self._pieces(call, context, tally)
                tally.settle(perf_counter() - entered)
            finally:
                self._admission.leave(entered)
                if self._latencies:
                    log.latency(caller.request_id, tally)
        except InferenceError as error:
            code = code_of(error)
            self._attribute(message, tally)
            await context.write(_error(identity, error.message))
        except asyncio.CancelledError:
            code = cancelled(context)
            raise
        except Exception:
            code = grpc.StatusCode.INTERNAL
            told = failed(_PATH, caller.request_id)
            await context.write(_error(identity, f"{told.message}: {told.request_id}"))
        finally:
            tally.end(code.name)

    async def _pieces(self, call: codec.Call, context: Context, tally: Tally) -> None:
        wants_final = call.request.parameters.pop(_WANTS_FINAL, False) is True
        pieces = pieces_of(self._prepare(call, tally), call.request)
        try:
            async for piece in pieces:
                if wants_final:
                    piece.parameters = {**piece.parameters, _FINAL: False}
                # Returns when the client has room for more, so that nothing is computed ahead of it.
                await context.write(wire.append(b"", _RESPONSE, [codec.encode(piece, call)]))
        finally:
            await close(pieces)
        if wants_final:
            call.request.outputs = []
            last = InferenceResponse(call.request.model_name, [], call.request.id, parameters={_FINAL: True})
            await context.write(wire.append(b"", _RESPONSE, [codec.encode(last, call)]))


def _error(identity: str, message: str) -> bytes:
    answer = pb.ModelStreamInferResponse(error_message=message, infer_response=pb.ModelInferResponse(id=identity))
    return answer.SerializeToString()
