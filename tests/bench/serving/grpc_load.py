"""The gRPC load generator: `python -m tests.bench.serving.grpc_load PORT small|image CONCURRENCY SECONDS`.

HTTP/2 by hand, all calls on one connection: grpc.aio's own client takes as long for a call as a fast server, and one
core of it would be what is measured.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import time
from collections.abc import Callable

import uvloop
from hpack import Decoder, Encoder
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from tests.bench.serving.bodies import SHAPES, tensor
from tests.bench.serving.load import percentiles

METHOD = "/inference.GRPCInferenceService/ModelInfer"
_WARM_UP = 0.5
_HEAD = struct.Struct(">HBBBI")
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_WIDEST = 2**31 - 1


def request(size: str) -> bytes:
    """Return a ModelInferRequest: typed contents for the small tensor, raw for the image."""
    shaped = pb.ModelInferRequest.InferInputTensor(name="input-0", datatype="FP32", shape=SHAPES[size])
    message = pb.ModelInferRequest(model_name="model", inputs=[shaped])
    if size == "small":
        message.inputs[0].contents.fp32_contents.extend(tensor(size).ravel().tolist())
    else:
        message.raw_input_contents.append(tensor(size).tobytes())
    return bytes(message.SerializeToString())


def frame(kind: int, flags: int, stream: int, payload: bytes | memoryview = b"") -> bytes:
    """Return one frame."""
    return _HEAD.pack(len(payload) >> 8, len(payload) & 0xFF, kind, flags, stream) + payload


class Client(asyncio.Protocol):
    """One connection, on which `call` begins the same call again; `ended` is told each answer and its milliseconds."""

    def __init__(self, message: bytes, ended: Callable[[bytes, float], None]) -> None:
        self._content = memoryview(b"\0" + len(message).to_bytes(4, "big") + message)
        self._ended = ended
        encoder = Encoder()
        fields = [(":method", "POST"), (":scheme", "http"), (":path", METHOD), (":authority", "server"),
                  ("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", "bench")]  # fmt: skip
        # The first of them fills the server's table, all others refer to it.
        self._head, self._next_head = encoder.encode(fields), encoder.encode(fields)
        self._good: set[bytes] = set()
        self._rest, self._taken = b"", 0
        self._window = self._initial = 65535
        self._longest = 16384
        self._stream = -1
        self._begun: dict[int, float] = {}
        self._answers: dict[int, list[bytes]] = {}
        # What is not sent yet: stream, its window, how far it is.
        self._sending: list[list[int]] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, with windows that are never in the server's way."""
        self._transport = transport
        # A header table of nothing, so that each of the server's few header blocks means the same wherever it comes.
        settings = struct.pack(">HIHIHI", 1, 0, 2, 0, 4, _WIDEST)
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(_SETTINGS, 0, 0, settings)
        transport.write(preface + frame(_WINDOW, 0, 0, (_WIDEST - 65535).to_bytes(4, "big")))

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that there will be no more answers."""
        if not self.over.done():
            self.over.set_exception(RuntimeError(f"the connection ended: {exc}"))

    def call(self) -> None:
        """Begin a call."""
        self._stream += 2
        self._begun[self._stream], self._answers[self._stream] = time.monotonic(), []
        head = frame(_HEADERS, _END_HEADERS, self._stream, self._head)
        self._head = self._next_head
        size = len(self._content)
        if size <= min(self._window, self._initial, self._longest):
            self._window -= size
            self._transport.write(head + frame(_DATA, _END_STREAM, self._stream, self._content))
            return
        self._transport.write(head)
        self._sending.append([self._stream, self._initial, 0])
        self._push()

    def _push(self) -> None:
        for each in list(self._sending):
            stream, window, at = each
            while (size := min(self._window, window, self._longest, len(self._content) - at)) > 0:
                piece = self._content[at : at + size]
                at, window, self._window = at + size, window - size, self._window - size
                self._transport.write(frame(_DATA, int(at == len(self._content)), stream, piece))
            each[1:] = [window, at]
            if at == len(self._content):
                self._sending.remove(each)

    def data_received(self, data: bytes) -> None:
        """Take the server's frames."""
        data = self._rest + data
        at, size = 0, len(data)
        try:
            while size - at >= _HEAD.size:
                high, low, kind, flags, stream = _HEAD.unpack_from(data, at)
                end = at + _HEAD.size + (high << 8 | low)
                if end > size:
                    break
                self._take(kind, flags, stream, data[at + _HEAD.size : end])
                at = end
        except RuntimeError as error:
            if not self.over.done():
                self.over.set_exception(error)
        self._rest = data[at:]

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _DATA:
            self._answers[stream].append(payload)
            self._taken += len(payload)
            if self._taken > _WIDEST // 4:
                self._transport.write(frame(_WINDOW, 0, 0, self._taken.to_bytes(4, "big")))
                self._taken = 0
        elif kind == _HEADERS:
            if payload not in self._good:
                self._look(payload, last=bool(flags & _END_STREAM))
            if flags & _END_STREAM:
                took = (time.monotonic() - self._begun.pop(stream)) * 1000
                self._ended(b"".join(self._answers.pop(stream)), took)
        elif kind == _PING and not flags & _ACK:
            self._transport.write(frame(_PING, _ACK, 0, payload))
        elif kind == _SETTINGS and not flags & _ACK:
            self._configure(payload)
        elif kind == _WINDOW:
            self._widen(stream, int.from_bytes(payload, "big"))
        elif kind == _GOAWAY or (kind == _RESET and stream in self._begun):
            raise RuntimeError(f"the server gave up: {kind} {payload!r}")

    def _look(self, block: bytes, *, last: bool) -> None:
        fields = dict(Decoder().decode(block))
        if last and fields.get("grpc-status") != "0":
            raise RuntimeError(f"no answer: {fields}")
        self._good.add(block)

    def _configure(self, payload: bytes) -> None:
        for key, value in struct.iter_unpack(">HI", payload):
            if key == 4:
                for each in self._sending:
                    each[1] += value - self._initial
                self._initial = value
            elif key == 5:
                self._longest = value
        self._transport.write(frame(_SETTINGS, _ACK, 0))
        self._push()

    def _widen(self, stream: int, size: int) -> None:
        if stream == 0:
            self._window += size
        for each in self._sending:
            if each[0] == stream:
                each[1] += size
        self._push()


async def load(port: int, size: str, concurrency: int, seconds: float) -> dict[str, float]:
    """Call until the time is up; return rates and latencies in milliseconds."""
    taken: list[float] = []
    begun = until = used = 0.0
    working, right = concurrency, len(SHAPES[size]) - 1

    def ended(answer: bytes, took: float) -> None:
        nonlocal working
        if not taken:
            parsed = pb.ModelInferResponse.FromString(answer[5:])
            if list(parsed.outputs[0].shape) != list(SHAPES[size][:right]):
                raise RuntimeError(f"wrong answer: {str(parsed)[:500]}")
        taken.append(took)
        if time.monotonic() < until:
            client.call()
            return
        working -= 1
        if not working:
            client.over.set_result(None)

    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(request(size), ended), "127.0.0.1", port)
    for lasts in (_WARM_UP, seconds):
        taken.clear()
        client.over, working = loop.create_future(), concurrency
        used, begun = time.process_time(), time.monotonic()
        until = begun + lasts
        for _ in range(concurrency):
            client.call()
        await client.over
    took = time.monotonic() - begun
    p50, p99 = percentiles(taken)
    return {"rps": len(taken) / took, "p50": p50, "p99": p99, "busy": (time.process_time() - used) / took}


if __name__ == "__main__":
    _, port, size, concurrency, seconds = sys.argv
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(load(int(port), size, int(concurrency), float(seconds)))))
