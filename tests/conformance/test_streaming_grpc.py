"""ModelStreamInfer as Triton's clients call it, and how its streams end."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator

import grpc
import pytest
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from tests.conformance.grpc_process import free_port, until
from tests.conformance.kserve_servers import Server, start

METHOD = "/inference.GRPCInferenceService/ModelStreamInfer"
PATIENCE_S = 60


class Streams:
    """A server of the streaming models, and its gRPC port."""

    def __init__(self, folder, *flags: str) -> None:
        self.grpc_port = free_port()
        self.server: Server = start(folder, "streaming", f"--grpc_port={self.grpc_port}", *flags, kserve="twin")

    @property
    def log(self) -> str:
        return self.server.log.read_text()

    def channel(self) -> grpc.Channel:
        return grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}", options=[("grpc.use_local_subchannel_pool", 1)])

    def kill(self) -> None:
        self.server.process.kill()
        self.server.process.wait()


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Streams]:
    running = Streams(tmp_path_factory.mktemp("grpc"), "--access_log")
    yield running
    running.kill()


@pytest.fixture
def own(tmp_path) -> Iterator[Streams]:
    running = Streams(tmp_path, "--drain_delay=0.1")
    yield running
    running.kill()


class Requests:
    """A client's side of a stream: it sends what `put` gives it, and goes on until `end`."""

    def __init__(self, *texts: str, model: str = "async") -> None:
        self._ready = threading.Condition()
        self._waiting = [text_request(text, model) for text in texts]
        self._ended = False

    def put(self, message: bytes) -> None:
        with self._ready:
            self._waiting.append(message)
            self._ready.notify()

    def end(self) -> None:
        with self._ready:
            self._ended = True
            self._ready.notify()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._ready:
            self._ready.wait_for(lambda: self._waiting or self._ended, PATIENCE_S)
            if not self._waiting:
                raise StopIteration
            return self._waiting.pop(0)


def text_request(text: str, model: str = "async", **more: str) -> bytes:
    tensor = pb.ModelInferRequest.InferInputTensor(
        name="t", datatype="BYTES", shape=[1], contents=pb.InferTensorContents(bytes_contents=[text.encode()])
    )
    return pb.ModelInferRequest(model_name=model, inputs=[tensor], **more).SerializeToString()


def read(answer: bytes) -> tuple[str, str]:
    """Give an answer's text, or its error, and the id of its request."""
    parsed = pb.ModelStreamInferResponse.FromString(answer)
    if parsed.error_message:
        return parsed.error_message, parsed.infer_response.id
    return parsed.infer_response.outputs[0].contents.bytes_contents[0].decode(), parsed.infer_response.id


def client(streams: Streams, script: str) -> None:
    """Run a client in a process of its own: Triton's messages and kserve's cannot both live in one."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), f"127.0.0.1:{streams.grpc_port}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_tritons_client_streams_many_requests_in_order(streams):
    client(
        streams,
        """
        import queue, sys
        import numpy as np
        import tritonclient.grpc as triton
        answers = queue.Queue()
        client = triton.InferenceServerClient(sys.argv[1])
        client.start_stream(lambda result, error: answers.put((result, error)), headers={"x-request-id": "s-1"})
        def ask(model, text, identity, **more):
            tensor = triton.InferInput("t", [1], "BYTES")
            tensor.set_data_from_numpy(np.array([text.encode()], dtype=object))
            client.async_stream_infer(model, [tensor], request_id=identity, **more)
        def text(result):
            return result.get_response().id, result.as_numpy("text_output")[0].decode()
        ask("async", "one two", "1")
        ask("sync", "three", "2")
        ask("nobody", "x", "3")
        ask("async", "refuse", "4")
        ask("async", "four boom", "5")
        ask("whole", "a b", "6")
        ask("async", "five", "7", enable_empty_final_response=True)
        got = [answers.get(timeout=60) for _ in range(10)]
        assert [text(result) for result, _ in got[:3]] == [("1", "one"), ("1", "two"), ("2", "three")]
        assert got[3][0] is None and "nobody" in str(got[3][1])
        assert "not this word" in str(got[4][1])
        assert text(got[5][0]) == ("5", "four")
        assert "s-1" in str(got[6][1]) and "weights" not in str(got[6][1])
        assert got[7][0].as_numpy("output-0").tolist() == [2]
        assert text(got[8][0]) == ("7", "five")
        finals = [result.get_response().parameters["triton_final_response"].bool_param for result, _ in got[8:]]
        assert finals == [False, True]
        assert not got[9][0].get_response().outputs
        client.stop_stream()
        assert answers.empty()
        """,
    )
    assert "RuntimeError: cannot read" in streams.log
    until(lambda: "/ModelStreamInfer 0 " in streams.log)


def test_tritons_asyncio_client_streams(streams):
    client(
        streams,
        """
        import asyncio, sys
        import numpy as np
        import tritonclient.grpc.aio as triton
        async def main():
            async with triton.InferenceServerClient(sys.argv[1]) as client:
                async def requests():
                    for number in range(50):
                        tensor = triton.InferInput("x", [1, 2], "FP32")
                        tensor.set_data_from_numpy(np.full((1, 2), number, np.float32))
                        yield {"model_name": "tensors", "inputs": [tensor]}
                got = [(result, error) async for result, error in client.stream_infer(requests())]
                assert [error for _, error in got] == [None] * 50
                assert [result.as_numpy("sum").tolist() for result, _ in got] == [[2.0 * n] for n in range(50)]
        asyncio.run(main())
        """,
    )


def test_garbage_is_an_error_message_and_not_the_end(streams):
    requests = Requests("one")
    requests.put(b"\xff\xff\xff")
    requests.put(text_request("two", id="9"))
    requests.put(text_request("refuse", id="10"))
    requests.end()
    with streams.channel() as channel:
        answers = [read(each) for each in channel.stream_stream(METHOD)(requests, timeout=PATIENCE_S)]
    assert answers[0] == ("one", "")
    assert "not a valid ModelInferRequest" in answers[1][0]
    assert answers[2:] == [("two", "9"), ("not this word", "10")]


@pytest.mark.parametrize(("model", "text"), [("async", "one wait"), ("sync", "one flood")])
def test_a_client_that_cancels_ends_the_work(streams, model, text):
    closed = streams.log.count(f"closed {model}")
    with streams.channel() as channel:
        call = channel.stream_stream(METHOD)(Requests(text, model=model), timeout=PATIENCE_S)
        assert read(next(call))[0] == "one"
        call.cancel()
    until(lambda: streams.log.count(f"closed {model}") > closed)


def test_a_deadline_bounds_the_stream(streams):
    with streams.channel() as channel:
        call = channel.stream_stream(METHOD)(Requests("one wait"), timeout=8)
        assert read(next(call))[0] == "one"
        with pytest.raises(grpc.RpcError) as late:
            next(call)
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_client_that_does_not_read_is_not_computed_ahead_for(own):
    with own.channel() as channel:
        call = channel.stream_stream(METHOD)(Requests("one flood", model="sync"), timeout=PATIENCE_S)
        assert read(next(call))[0] == "one"
        until(lambda: own.log.count("piece "))
        before, event = 0, threading.Event()
        while own.log.count("piece ") > before:
            before = own.log.count("piece ")
            event.wait(1)
        assert before < 1000
        call.cancel()
    until(lambda: "closed sync" in own.log)


def test_draining_answers_what_came_and_ends_an_idle_stream(own):
    requests = Requests("one pause two", model="sync")
    with own.channel() as channel:
        call = channel.stream_stream(METHOD)(requests, timeout=PATIENCE_S)
        assert read(next(call))[0] == "one"
        own.server.process.terminate()
        assert read(next(call)) == ("pause", "")
        assert read(next(call)) == ("two", "")
        with pytest.raises(grpc.RpcError) as ended:
            next(call)
        assert ended.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "stopping" in ended.value.details()
    assert own.server.process.wait(PATIENCE_S) == 0
