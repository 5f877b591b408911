"""The V2 gRPC service: serialized requests in, serialized answers out.

The methods take and give bytes, since grpc calls a message that its own deserializer cannot read INTERNAL, while it is
the caller's mistake.
"""

from __future__ import annotations

from importlib import metadata
from typing import Final

import grpc

from modelwright.codecs import grpc as codec
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb
from modelwright.errors import ModelNotReady
from modelwright.model import TIMINGS, Repository, Timings
from modelwright.server import declared
from modelwright.server.arguments import Arguments
from modelwright.server.caller import CALLER, Caller
from modelwright.server.describe import of_version
from modelwright.server.execution import Execution
from modelwright.server.grpc_calls import Context, Method, behaviour
from modelwright.server.grpc_metadata import metadata_of
from modelwright.server.health import Health
from modelwright.server.log import latency

NAME: Final = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name


class Service:
    """GRPCInferenceService over the models of `repository`; `execution`'s bound counts REST and gRPC together."""

    def __init__(self, repository: Repository, arguments: Arguments, execution: Execution, health: Health) -> None:
        self._repository = repository
        self._admission = execution.admission
        self._health = health
        self._latencies = arguments.enable_latency_logging
        self._access_log = arguments.access_log

    def handler(self) -> grpc.GenericRpcHandler:
        """Return the handler to register with a server."""
        methods: dict[str, Method] = {
            "ServerLive": self._server_live,
            "ServerReady": self._server_ready,
            "ModelReady": self._model_ready,
            "ServerMetadata": self._server_metadata,
            "ModelMetadata": self._model_metadata,
            "ModelInfer": self._model_infer,
        }
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            name: grpc.unary_unary_rpc_method_handler(behaviour(f"/{NAME}/{name}", method, access_log=self._access_log))
            for name, method in methods.items()
        }
        return grpc.method_handlers_generic_handler(NAME, handlers)

    async def _server_live(self, message: bytes, headers: dict[str, str], context: Context) -> bytes:
        codec.parse(pb.ServerLiveRequest, message)
        return pb.ServerLiveResponse(live=True).SerializeToString()

    async def _server_ready(self, message: bytes, headers: dict[str, str], context: Context) -> bytes:
        codec.parse(pb.ServerReadyRequest, message)
        return pb.ServerReadyResponse(ready=self._health.ready).SerializeToString()

    async def _model_ready(self, message: bytes, headers: dict[str, str], context: Context) -> bytes:
        request = codec.parse(pb.ModelReadyRequest, message)
        of_version(self._repository.get(request.name), request.version or None)
        return pb.ModelReadyResponse(ready=self._health.model_ready(request.name)).SerializeToString()

    async def _server_metadata(self, message: bytes, headers: dict[str, str], context: Context) -> bytes:
        codec.parse(pb.ServerMetadataRequest, message)
        return pb.ServerMetadataResponse(name="modelwright", version=_version()).SerializeToString()

    async def _model_metadata(self, message: bytes, headers: dict[str, str], context: Context) -> bytes:
        request = codec.parse(pb.ModelMetadataRequest, message)
        described = of_version(self._repository.get(request.name), request.version or None)
        answer = pb.ModelMetadataResponse(name=described.name, platform=described.platform, versions=described.versions)
        for tensors, described_tensors in ((answer.inputs, described.inputs), (answer.outputs, described.outputs)):
            for each in described_tensors:
                tensors.add(name=each.name, datatype=each.datatype, shape=each.shape)
        return answer.SerializeToString()

    async def _model_infer(self, message: bytes, headers: dict[str, str], context: Context) -> bytes:
        timings = Timings() if self._latencies else None
        TIMINGS.set(timings)
        entered = self._admission.enter()
        try:
            return await self._infer(message, headers, context)
        finally:
            took = self._admission.leave(entered)
            if timings is not None:
                latency((CALLER.get() or Caller([])).request_id, timings, took)

    async def _infer(self, message: bytes, headers: dict[str, str], context: Context) -> bytes:
        call = codec.decode(message, headers)
        model = self._repository.get(call.request.model_name)
        described = of_version(model, call.model_version or None)
        if not model.ready:
            raise ModelNotReady(f"model {model.name!r} is not ready")
        declared.check(call.request, described)
        response = await model.infer(call.request)
        answer = codec.encode(response, call)
        if response.headers:
            await context.send_initial_metadata(metadata_of(response.headers))
        return answer


def _version() -> str:
    try:
        return metadata.version("modelwright")
    except metadata.PackageNotFoundError:
        return "unknown"
