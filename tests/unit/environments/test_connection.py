"""Both ends of a connection to a model's own process, on a real socket."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modelwright.environments import child, messages, sharing
from modelwright.environments.connection import Connection
from modelwright.errors import AuthorError, InvalidInput, ModelNotReady, Overloaded
from modelwright.model import (
    HttpAnswer,
    HttpRequest,
    Model,
    ModelMetadata,
    OpenAIOperation,
    OwnRoute,
    TensorMetadata,
    V1Answer,
)
from modelwright.scale import arena
from modelwright.tensors import InferenceRequest, InferenceResponse, Tensor


class Everything(Model):
    """Offers all that a model can, and says what became of its streams."""

    name, ready, streams = "all", True, True
    openai_operations = frozenset({OpenAIOperation.CHAT})

    def __init__(self) -> None:
        self.yielded = 0
        self.closed = asyncio.Event()
        self.cancelled = asyncio.Event()

    def metadata(self) -> ModelMetadata:
        return ModelMetadata("all", "here", ("1",), (TensorMetadata("x", "FP32", (-1, 2)),))

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        if request.id == "hang":
            try:
                await asyncio.sleep(60)
            finally:
                self.cancelled.set()
        doubled = Tensor("y", "FP32", request.inputs[0].shape, request.inputs[0].data * 2, {"p": [1]})
        return InferenceResponse("all", [doubled], request.id, "1", dict(request.parameters), dict(request.headers))

    async def predict_v1(self, payload: Any, headers: Any) -> V1Answer:
        if payload == {"refuse": True}:
            raise InvalidInput("no")
        if payload == {"full": True}:
            raise Overloaded("later", retry_after=7.0)
        if payload == {"fail": True}:
            raise LookupError("author's own")
        if payload == {"stream": True}:
            return V1Answer(self.words(), {"content-type": "text/plain"})
        if payload == {"odd": True}:
            return V1Answer({"set": {1}}, {})
        return V1Answer({"predictions": np.arange(3), "of": type(payload).__name__}, {"x-a": "b"})

    async def words(self) -> AsyncIterator[str]:
        for word in ("one", "two"):
            yield word

    async def stream(self, request: InferenceRequest) -> AsyncIterator[InferenceResponse]:
        try:
            while True:
                self.yielded += 1
                yield InferenceResponse("all", request.inputs, str(self.yielded))
        finally:
            self.closed.set()

    async def openai(self, operation: OpenAIOperation, payload: Any, headers: Any) -> Any:
        return {"said": payload["say"], "by": operation.value}

    @property
    def own_routes(self) -> tuple[OwnRoute, ...]:
        async def answer(request: HttpRequest) -> HttpAnswer:
            return HttpAnswer(201, request.body[::-1], {"x-path": request.path_parameters["name"]})

        return (OwnRoute("POST", "/mine/{name}", answer),)


class Ends:
    """A model at one end, a connection to it at the other."""

    def __init__(self, model: Everything, connection: Connection, address: str) -> None:
        self.model, self.connection, self.address = model, connection, address


@pytest.fixture
async def ends(tmp_path: Path) -> AsyncIterator[Ends]:
    async with both(tmp_path) as made:
        yield made


@asynccontextmanager
async def both(tmp_path: Path) -> AsyncIterator[Ends]:
    model, place = Everything(), child.Threads()
    address = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(address)
        listening.listen()
        answering = partial(child.Answering, model, place)
        taking = asyncio.create_task(sharing.accept(listening, lambda arenas: answering(arenas).wire))
        connection = await Connection.open(address)
        reading = asyncio.ensure_future(connection.run())
        yield Ends(model, connection, address)
        reading.cancel()
        connection.close()
        taking.cancel()


def request(identity: str = "7") -> InferenceRequest:
    data = np.ones((1, 2), dtype=np.float32)
    return InferenceRequest("all", [Tensor("x", "FP32", (1, 2), data)], identity, {"a": 1}, headers={"h": "v"})


async def test_the_first_word_describes_the_model(ends: Ends) -> None:
    ready, metadata, streams, operations, routes = ends.connection.hello
    assert (ready, streams, operations, routes) == (True, True, ["chat/completions"], [["POST", "/mine/{name}"]])
    assert messages.to_metadata("here", metadata) == ModelMetadata(
        "here", "here", ("1",), (TensorMetadata("x", "FP32", (-1, 2)),)
    )


async def test_a_request_s_tensors_parameters_and_headers_arrive(ends: Ends) -> None:
    value, _ = await ends.connection.ask("infer", messages.from_request(request()))
    response = messages.to_response("mine", value)
    assert (response.model_name, response.id, response.model_version) == ("mine", "7", "1")
    assert (response.parameters, response.headers, response.outputs[0].parameters) == ({"a": 1}, {"h": "v"}, {"p": [1]})
    assert response.outputs[0].data.tolist() == [[2.0, 2.0]]


async def test_v1_bodies_are_json_or_bytes(ends: Ends) -> None:
    for payload, name in (({"instances": []}, "dict"), (b"\xff", "bytes")):
        (result, headers), pieces = await ends.connection.ask("v1", "predict", messages.from_payload(payload), {})
        assert messages.to_payload(result) == {"predictions": [0, 1, 2], "of": name}
        assert (headers, pieces) == ({"x-a": "b"}, None)


async def test_refusals_keep_their_kind_and_failures_their_name(ends: Ends) -> None:
    with pytest.raises(InvalidInput, match=r"^no$"):
        await predict(ends, {"refuse": True})
    with pytest.raises(Overloaded) as full:
        await predict(ends, {"full": True})
    assert full.value.retry_after == 7.0
    with pytest.raises(AuthorError, match="author's own") as failed:
        await predict(ends, {"fail": True})
    assert type(failed.value).__name__ == "LookupError"
    assert "test_connection.py" in failed.value.traceback
    assert "child.py" not in failed.value.traceback
    with pytest.raises(AuthorError, match="a value of type set has no JSON form"):
        await predict(ends, {"odd": True})


async def predict(ends: Ends, payload: dict[str, Any]) -> tuple[Any, Any]:
    return await ends.connection.ask("v1", "predict", messages.from_payload(payload), {})


async def test_a_v1_answer_streams(ends: Ends) -> None:
    (_, headers), pieces = await predict(ends, {"stream": True})
    assert headers == {"content-type": "text/plain"}
    assert [messages.to_payload(piece) async for piece in pieces] == ["one", "two"]


async def test_a_stream_waits_for_its_reader_and_ends_with_it(ends: Ends) -> None:
    _, pieces = await ends.connection.ask("stream", messages.from_request(request()))
    assert pieces is not None
    async with asyncio.timeout(30):
        for number in range(1, 101):
            assert messages.to_response("all", await anext(pieces)).id == str(number)
        # Of a stream without an end, what was not asked for was not computed.
        assert ends.model.yielded <= 100 + 2 * child.WINDOW
        await pieces.aclose()  # type: ignore[attr-defined]
        await ends.model.closed.wait()


async def test_a_caller_who_leaves_ends_the_call_there(ends: Ends) -> None:
    asked = asyncio.ensure_future(ends.connection.ask("infer", messages.from_request(request("hang"))))
    await ends.connection.ask("infer", messages.from_request(request()))
    asked.cancel()
    async with asyncio.timeout(30):
        await ends.model.cancelled.wait()


async def test_openai_and_own_routes(ends: Ends) -> None:
    value, _ = await ends.connection.ask("openai", "chat/completions", messages.from_payload({"say": "hi"}), {})
    assert messages.to_payload(value) == {"said": "hi", "by": "chat/completions"}
    asked = ["POST", "/mine/it", {"name": "it"}, "", {}, b"abc"]
    assert (await ends.connection.ask("route", 0, asked))[0] == [201, b"cba", {"x-path": "it"}]


async def test_callers_of_a_process_that_is_gone_are_told_at_once(ends: Ends) -> None:
    asked = asyncio.ensure_future(ends.connection.ask("infer", messages.from_request(request("hang"))))
    await ends.connection.ask("infer", messages.from_request(request()))
    ends.connection.close()
    with pytest.raises(ModelNotReady, match="being started anew"):
        await asked


async def test_tensors_of_every_size_arrive_whole_whatever_else_is_under_way(ends: Ends) -> None:
    async def one(count: int) -> None:
        data = np.arange(count, dtype=np.float32).reshape(1, count)
        asked = InferenceRequest("all", [Tensor("x", "FP32", (1, count), data)], str(count))
        value, _ = await ends.connection.ask("infer", messages.from_request(asked))
        response = messages.to_response("all", value)
        assert response.id == str(count)
        np.testing.assert_array_equal(response.outputs[0].data, data * 2)
        assert not response.outputs[0].data.flags.writeable

    async with asyncio.timeout(60):
        await asyncio.gather(*(one(count) for count in (0, 1, 3, 16_000, 16_384, 20_000, 3_000_000, 5, 1_000_000)))


async def test_what_is_no_frame_ends_the_connection(ends: Ends, caplog: pytest.LogCaptureFixture) -> None:
    reader, writer = await asyncio.open_unix_connection(ends.address)
    writer.write(b"\0GET / HTTP/1.1\r\nHost: nobody\r\n\r\n")
    async with asyncio.timeout(30):
        hello = await reader.read()
    assert hello.startswith(b"MWE1")
    assert "not a frame of Modelwright's" in caplog.text
    writer.close()


async def test_large_tensors_are_shared_and_their_memory_is_used_again(ends: Ends) -> None:
    data = np.ones((1, arena.SHARED // 4), np.float32)
    for _ in range(3):
        asked = InferenceRequest("all", [Tensor("x", "FP32", data.shape, data)])
        value, _ = await ends.connection.ask("infer", messages.from_request(asked))
        response = messages.to_response("all", value)
        assert (response.outputs[0].data == 2).all()
    held = ends.connection._wire._arenas.outgoing
    assert held is not None
    # The last one's at most: neither side keeps what it has done with.
    assert len(held._taken) == 1


async def test_without_shared_memory_tensors_go_through_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise PermissionError("no memfd here")

    monkeypatch.setattr(arena, "create", refuse)
    async with both(tmp_path) as ends:
        data = np.ones((1, 1_000_000), np.float32)
        asked = InferenceRequest("all", [Tensor("x", "FP32", data.shape, data)])
        value, _ = await ends.connection.ask("infer", messages.from_request(asked))
        assert (messages.to_response("all", value).outputs[0].data == 2).all()


async def test_a_connection_that_ended_leaves_no_memory_behind(tmp_path: Path) -> None:
    def mapped() -> int:
        gc.collect()
        return Path("/proc/self/maps").read_text().count("memfd:modelwright")

    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before, files = mapped(), opened()
    for count in range(3):
        folder = tmp_path / str(count)
        folder.mkdir()
        async with both(folder) as ends:
            assert mapped() > before
            del ends
    end = time.monotonic() + 30
    while mapped() > before or opened() > files:
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
