"""A real server process of an author's file or folder, in its style."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from modelwright.codecs.grpc_client import decode_response, encode_request
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb
from modelwright.tensors import Array, InferenceRequest, Tensor, datatype_of

from tests.conformance.server_process import ROOT, Server


class Styled(Server):
    """A file or folder served in a style, on free ports."""

    def __init__(self, folder: Path, style: str, target: str, *flags: str, **environment: str) -> None:
        self._log = folder / "server.log"
        command = [sys.executable, "-m", "modelwright.cli.styled", style, target, "--http_port=0", "--grpc_port=0"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *flags],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT / "runtimes"), **environment},
                stdout=log,
                stderr=log,
            )
        self.port = 0

    def grpc_port(self) -> int:
        until = time.monotonic() + 60
        while not (match := re.search(r"serving gRPC on port (\d+)", self.log)):
            assert self.process.poll() is None and time.monotonic() < until, self.log
            time.sleep(0.05)
        return int(match[1])

    def infer(self, model: str, parameters: dict[str, Any] | None = None, **inputs: Array) -> dict[str, Array]:
        """Ask over gRPC. Triton's client is not it: its messages and kserve's cannot both live in one process."""
        arrays = {name: np.asarray(array) for name, array in inputs.items()}
        tensors = [Tensor(name, datatype_of(array), array.shape, array) for name, array in arrays.items()]
        message = encode_request(InferenceRequest(model, tensors, parameters=parameters or {}))
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc_port()}") as channel:
            call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
            answer = pb.ModelInferResponse.FromString(call(message.SerializeToString(), timeout=60))
        return {output.name: output.data for output in decode_response(answer).outputs}
