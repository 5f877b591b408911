"""ModelStreamInfer: many requests on one stream, answered in order, each in as many pieces as its model gives.

The wire is Triton's: a request that fails is an `error_message`, and the stream goes on. Source:
https://github.com/triton-inference-server/common/blob/main/protobuf/grpc_service.proto
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Final

from modelwright.codecs import grpc as codec
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb
from modelwright.codecs.proto import wire
from modelwright.errors import InferenceError
from modelwright.model import Model
from modelwright.server import log
from modelwright.server.admission import Admission
from modelwright.server.arguments import Arguments
from modelwright.server.caller import Caller
from modelwright.server.failure import failed
from modelwright.server.grpc.calls import caller_of, cancelled
from modelwright.server.grpc.status import code_of
from modelwright.server.grpc.wire.call import Call
from modelwright.server.grpc.wire.status import StatusCode
from modelwright.server.metrics.counts import Metrics, Tally
from modelwright.server.streams import close, pieces_of
from modelwright.tensors import InferenceResponse
from modelwright.timings import TIMINGS

_RESPONSE: Final = pb.ModelStreamInferResponse.INFER_RESPONSE_FIELD_NUMBER
# Triton's: a request may ask for an empty response that says that it was the last one.
_WANTS_FINAL: Final = "triton_enable_empty_final_response"
_FINAL: Final = "triton_final_response"

Prepare = Callable[[codec.Call, Tally], Model]


class InferStreams:
    """Serves streams of requests; `prepare` gives the model of each, or refuses it; `attribute` counts what was."""

    def __init__(
        self,
        prepare: Prepare,
        attribute: Callable[[bytes, Tally], None],
        admission: Admission,
        arguments: Arguments,
        metrics: Metrics,
    ) -> None:
        self._prepare = prepare
        self._attribute = attribute
        self._metrics = metrics
        self._admission = admission
        self._latencies = arguments.enable_latency_logging
        self._access_log = arguments.access_log

    async def serve(self, call: Call) -> None:
        """Serve one stream until its client has sent and received everything, or the server stops."""
        begun = perf_counter()
        caller = caller_of(call)
        try:
            while (message := await call.read()) is not None:
                await self._answer(message, caller, call)
            if not call.half_closed:
                call.refuse(StatusCode.UNAVAILABLE, "the server is stopping; open the stream anew")
        finally:
            if self._access_log:
                log.access("gRPC", call.path, call.code, caller.request_id, perf_counter() - begun)

    async def _answer(self, message: bytes, caller: Caller, call: Call) -> None:
        tally = self._metrics.request("grpc")
        TIMINGS.set(tally)
        identity = ""
        code = StatusCode.OK
        try:
            entered = tally.entered = self._admission.enter()
            try:
                asked = codec.decode(message, call.headers)
                identity = asked.request.id or ""
                await self._pieces(asked, call, tally)
                tally.settle(perf_counter() - entered)
            finally:
                self._admission.leave(entered)
                if self._latencies:
                    log.latency(caller.request_id, tally)
        except InferenceError as error:
            code = code_of(error)
            self._attribute(message, tally)
            await call.write(_error(identity, error.message))
        except asyncio.CancelledError:
            code = cancelled(call)
            raise
        except Exception:
            code = StatusCode.INTERNAL
            told = failed(call.path, caller.request_id)
            await call.write(_error(identity, f"{told.message}: {told.request_id}"))
        finally:
            tally.end(code.name)

    async def _pieces(self, asked: codec.Call, call: Call, tally: Tally) -> None:
        wants_final = asked.request.parameters.pop(_WANTS_FINAL, False) is True
        pieces = pieces_of(self._prepare(asked, tally), asked.request)
        try:
            async for piece in pieces:
                if wants_final:
                    piece.parameters = {**piece.parameters, _FINAL: False}
                # Returns when the client has room for more, so that nothing is computed ahead of it.
                await call.write(wire.append(b"", _RESPONSE, [codec.encode(piece, asked)]))
        finally:
            await close(pieces)
        if wants_final:
            asked.request.outputs = []
            last = InferenceResponse(asked.request.model_name, [], asked.request.id, parameters={_FINAL: True})
            await call.write(wire.append(b"", _RESPONSE, [codec.encode(last, asked)]))


def _error(identity: str, message: str) -> bytes:
    answer = pb.ModelStreamInferResponse(error_message=message, infer_response=pb.ModelInferResponse(id=identity))
    return answer.SerializeToString()
