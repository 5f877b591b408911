"""The V2 gRPC service: serialized requests in, serialized answers out.

A message that cannot be read is the caller's mistake, and so INVALID_ARGUMENT, where grpc's own servers say INTERNAL.
"""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter
from typing import Final

from modelwright.codecs import grpc as codec
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb
from modelwright.errors import InferenceError, ModelNotFound, ModelNotReady, NotImplementedByModel
from modelwright.model import Model, Repository
from modelwright.server import declared
from modelwright.server.arguments import Arguments
from modelwright.server.caller import CALLER, Caller
from modelwright.server.execution import Execution
from modelwright.server.grpc.calls import Method, behaviour
from modelwright.server.grpc.metadata import metadata_of
from modelwright.server.grpc.streams import InferStreams
from modelwright.server.grpc.wire.call import Call
from modelwright.server.grpc.wire.terms import Route
from modelwright.server.health import Health
from modelwright.server.log import latency
from modelwright.server.metrics.counts import Metrics, Tally
from modelwright.server.rest.routes import REPOSITORY_REMEDY
from modelwright.server.versions import of_version, version
from modelwright.timings import TIMINGS

NAME: Final = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name


class Service:
    """GRPCInferenceService over the models of `repository`; `execution`'s bound counts REST and gRPC together."""

    def __init__(
        self, repository: Repository, arguments: Arguments, execution: Execution, health: Health, metrics: Metrics
    ) -> None:
        self._repository = repository
        self._metrics = metrics
        self._admission = execution.admission
        self._health = health
        self._latencies = arguments.enable_latency_logging
        self._access_log = arguments.access_log
        self._arguments = arguments

    def routes(self) -> dict[str, Route]:
        """Give the methods by their paths."""
        methods: dict[str, Method] = {
            "ServerLive": self._server_live,
            "ServerReady": self._server_ready,
            "ModelReady": self._model_ready,
            "ServerMetadata": self._server_metadata,
            "ModelMetadata": self._model_metadata,
            "ModelInfer": self._model_infer,
            "RepositoryIndex": _elsewhere,
            "RepositoryModelLoad": _elsewhere,
            "RepositoryModelUnload": _elsewhere,
        }
        routes = {
            f"/{NAME}/{name}": Route(behaviour(method, access_log=self._access_log), unary=True)
            for name, method in methods.items()
        }
        streams = InferStreams(self._prepared, self._attribute, self._admission, self._arguments, self._metrics)
        return {**routes, f"/{NAME}/ModelStreamInfer": Route(streams.serve, unary=False)}

    async def _server_live(self, message: bytes, call: Call) -> bytes:
        codec.parse(pb.ServerLiveRequest, message)
        return pb.ServerLiveResponse(live=True).SerializeToString()

    async def _server_ready(self, message: bytes, call: Call) -> bytes:
        codec.parse(pb.ServerReadyRequest, message)
        return pb.ServerReadyResponse(ready=self._health.ready).SerializeToString()

    async def _model_ready(self, message: bytes, call: Call) -> bytes:
        request = codec.parse(pb.ModelReadyRequest, message)
        of_version(self._repository.get(request.name), request.version or None)
        return pb.ModelReadyResponse(ready=self._health.model_ready(request.name)).SerializeToString()

    async def _server_metadata(self, message: bytes, call: Call) -> bytes:
        codec.parse(pb.ServerMetadataRequest, message)
        return pb.ServerMetadataResponse(name="modelwright", version=version()).SerializeToString()

    async def _model_metadata(self, message: bytes, call: Call) -> bytes:
        request = codec.parse(pb.ModelMetadataRequest, message)
        described = of_version(self._repository.get(request.name), request.version or None)
        answer = pb.ModelMetadataResponse(name=described.name, platform=described.platform, versions=described.versions)
        for tensors, described_tensors in ((answer.inputs, described.inputs), (answer.outputs, described.outputs)):
            for each in described_tensors:
                tensors.add(name=each.name, datatype=each.datatype, shape=each.shape)
        return answer.SerializeToString()

    async def _model_infer(self, message: bytes, call: Call) -> bytes:
        caller = CALLER.get() or Caller([])
        tally = caller.tally = self._metrics.request("grpc")
        TIMINGS.set(tally)
        try:
            entered = tally.entered = self._admission.enter()
            try:
                answer = await self._infer(message, call, tally)
                tally.settle(perf_counter() - entered)
                return answer
            finally:
                self._admission.leave(entered)
                if self._latencies:
                    latency(caller.request_id, tally)
        except InferenceError:
            self._attribute(message, tally)
            raise

    async def _infer(self, message: bytes, call: Call, tally: Tally) -> bytes:
        asked = codec.decode(message, call.headers)
        response = await self._prepared(asked, tally).infer(asked.request)
        answer = codec.encode(response, asked)
        if response.headers:
            # Before the answer for KServe's callers, behind it for MLServer's.
            call.initial_metadata = metadata = metadata_of(response.headers)
            call.trailing_metadata = [*call.trailing_metadata, *metadata]
        return answer

    def _attribute(self, message: bytes, tally: Tally) -> None:
        """Count a call that was refused before it had been read for the model that it names, if that is served."""
        if not tally.has_model:
            with suppress(ModelNotFound):
                tally.of(self._repository.get(codec.model_name(message)).name)

    def _prepared(self, call: codec.Call, tally: Tally) -> Model:
        """Give the model that a call is for, once the call is held against what the model declares."""
        model = self._repository.get(call.request.model_name)
        tally.of(model.name)
        described = of_version(model, call.model_version or None)
        if not model.ready:
            raise ModelNotReady(f"model {model.name!r} is not ready")
        declared.check(call.request, described)
        return model


async def _elsewhere(message: bytes, call: Call) -> bytes:
    raise NotImplementedByModel(REPOSITORY_REMEDY)
