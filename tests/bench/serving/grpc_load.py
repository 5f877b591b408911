"""The gRPC load generator: `python -m tests.bench.serving.grpc_load PORT small|image CONCURRENCY SECONDS`."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import grpc.aio
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from tests.bench.serving.bodies import SHAPES, tensor
from tests.bench.serving.load import percentiles

METHOD = "/inference.GRPCInferenceService/ModelInfer"
_WARM_UP = 0.5


def request(size: str) -> bytes:
    """Return a ModelInferRequest: typed contents for the small tensor, raw for the image."""
    shaped = pb.ModelInferRequest.InferInputTensor(name="input-0", datatype="FP32", shape=SHAPES[size])
    message = pb.ModelInferRequest(model_name="model", inputs=[shaped])
    if size == "small":
        message.inputs[0].contents.fp32_contents.extend(tensor(size).ravel().tolist())
    else:
        message.raw_input_contents.append(tensor(size).tobytes())
    return bytes(message.SerializeToString())


async def load(port: int, size: str, concurrency: int, seconds: float) -> dict[str, float]:
    """Call until the time is up; return rates and latencies in milliseconds."""
    body, taken = request(size), []
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        answer = pb.ModelInferResponse.FromString(await call(body))
        if list(answer.outputs[0].shape) != list(SHAPES[size][:-1]):
            raise RuntimeError(f"wrong answer: {str(answer)[:500]}")

        async def caller(until: float) -> None:
            while (begun := time.monotonic()) < until:
                await call(body)
                taken.append((time.monotonic() - begun) * 1000)

        for lasts in (_WARM_UP, seconds):
            taken.clear()
            used, begun = time.process_time(), time.monotonic()
            await asyncio.gather(*(caller(begun + lasts) for _ in range(concurrency)))
        took = time.monotonic() - begun
    p50, p99 = percentiles(taken)
    return {"rps": len(taken) / took, "p50": p50, "p99": p99, "busy": (time.process_time() - used) / took}


if __name__ == "__main__":
    _, port, size, concurrency, seconds = sys.argv
    print(json.dumps(asyncio.run(load(int(port), size, int(concurrency), float(seconds)))))
