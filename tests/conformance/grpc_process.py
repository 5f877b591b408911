"""A gRPC server in a process of its own, and what its tests send to it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

SERVER = """
import asyncio, os, sys, time
import numpy as np
from modelwright.errors import InvalidInput
from modelwright.model import Model, ModelMetadata, TensorMetadata
from modelwright.server import run
from modelwright.server.arguments import parse
from modelwright.tensors import InferenceResponse, Tensor

class Base(Model):
    name = "base"
    ready = False
    def bind(self, execution): self.execution = execution
    async def load(self):
        assert "grpc" not in sys.modules, "grpc must wait for the fork"
        self.ready = True
    def metadata(self): return ModelMetadata(self.name)
    def unload(self): pass

class Echo(Base):
    name = "echo"
    async def infer(self, request):
        if "boom" in request.parameters: raise RuntimeError("secret at /home/author/model.py")
        if "refuse" in request.parameters: raise InvalidInput("input 'x' is not to the model's taste")
        if "unready" in request.parameters: self.ready = False
        if "sleep" in request.parameters:
            await self.execution.call(self.work, float(request.parameters["sleep"]), request.parameters.get("mark"))
        outputs = [Tensor(t.name, t.datatype, t.shape, t.data, t.parameters) for t in request.inputs]
        seen = {"pid": os.getpid(), "tenant": request.headers.get("x-tenant", "")}
        return InferenceResponse("echo", outputs, parameters=seen, headers={"X-Answer": "42", "Bad Key": "no"})
    def work(self, seconds, mark):
        if mark: open(mark, "w").close()
        time.sleep(seconds)

class Sums(Base):
    name = "sums"
    def metadata(self):
        return ModelMetadata("sums", "numpy", ("1", "2"), (TensorMetadata("x", "FP32", (-1, 4)),),
                             (TensorMetadata("y", "FP32", (-1,)),))
    async def infer(self, request):
        y = request.inputs[0].data.sum(-1)
        return InferenceResponse("sums", [Tensor("y", "FP32", y.shape, y)], model_version="1")

run([Echo(), Sums()], parse())
"""


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def channel(self, **options: int) -> grpc.Channel:
        # A subchannel pool of its own, so that each channel is a connection and reaches a worker of its own.
        every = [("grpc.use_local_subchannel_pool", 1), *((f"grpc.{key}", value) for key, value in options.items())]
        return grpc.insecure_channel(self.address, options=every)

    def call(
        self, method: str, request: object, timeout: float = 10, metadata: tuple[tuple[str, str], ...] = ()
    ) -> bytes:
        message = request if isinstance(request, bytes) else request.SerializeToString()
        with self.channel() as channel:
            return channel.unary_unary(f"/inference.GRPCInferenceService/{method}")(
                message, timeout=timeout, metadata=metadata
            )

    def health(self, service: str = "") -> int:
        with self.channel() as channel:
            request = health_pb2.HealthCheckRequest(service=service)
            return health_pb2_grpc.HealthStub(channel).Check(request, timeout=5).status


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def serving(folder: Path, *flags: str) -> Iterator[Server]:
    script = folder / "model.py"
    script.write_text(SERVER)
    port, log = free_port(), folder / "server.log"
    addresses = ["--host", "127.0.0.1", "--http_port", str(free_port()), "--grpc_port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(script), *addresses, *flags],
            stdout=output,
            stderr=output,
            env=os.environ | {"PYTHONPATH": "runtimes"},
        )
    server = Server(process, port, log)
    try:

        def up() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return server.health() == health_pb2.HealthCheckResponse.SERVING
            except grpc.RpcError:
                return False

        until(up)
        yield server
    finally:
        process.kill()
        process.wait()


def infer(model: str = "echo", version: str = "", **parameters: object) -> pb.ModelInferRequest:
    kinds = {bool: "bool_param", int: "int64_param", str: "string_param", float: "double_param"}
    data = np.arange(4, dtype=np.float32)
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1, 4])
    return pb.ModelInferRequest(
        model_name=model,
        model_version=version,
        id="7",
        inputs=[tensor],
        parameters={key: pb.InferParameter(**{kinds[type(value)]: value}) for key, value in parameters.items()},
        raw_input_contents=[data.tobytes()],
    )


def failure(server: Server, method: str, request: object, **how: object) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as raised:
        server.call(method, request, **how)
    return raised.value
