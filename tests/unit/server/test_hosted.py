"""A model inside a replica: what it says of itself, and answers in pieces."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from modelwright.errors import NotImplementedByModel
from modelwright.model import HttpAnswer, HttpRequest, Model, ModelMetadata, OwnRoute, V1Answer
from modelwright.server.arguments import Arguments
from modelwright.server.hosted import host
from modelwright.tensors import InferenceRequest, InferenceResponse, Tensor


class Echo(Model):
    name = "echo"
    ready = False

    def metadata(self):
        return ModelMetadata("echo", "numpy")

    def bind(self, execution):
        self.execution = execution

    async def load(self):
        self.ready = True

    async def infer(self, request):
        rows = await self.execution.call(len, request.inputs[0].data)
        return InferenceResponse("echo", [Tensor("rows", "INT64", (rows,), np.full(rows, rows))], request.id)

    async def predict_v1(self, payload, headers):
        async def pieces():
            yield b"one"
            yield b"two"

        return V1Answer(pieces() if payload.get("stream") else payload, {"x-by": "echo"})

    @property
    def own_routes(self):
        async def answer(request):
            return HttpAnswer(200, request.body, {})

        return (OwnRoute("POST", "/echo", answer),)


async def test_a_model_is_loaded_and_describes_itself() -> None:
    hosted = await host(Echo(), Arguments())
    described = await hosted.describe()
    assert (described.ready, described.metadata.platform, described.streams) == (True, "numpy", False)
    assert described.own_routes == (("POST", "/echo"),)
    answer = await hosted.own(0, HttpRequest("POST", "/echo", {}, "", {}, b"said"))
    assert answer.body == b"said"


async def test_an_answer_in_pieces_begins_with_its_headers() -> None:
    hosted = await host(Echo(), Arguments())
    whole = await hosted.v1({"instances": [1]}, {}, explain=False)
    assert isinstance(whole, V1Answer)
    pieces = await hosted.v1({"stream": True}, {}, explain=False)
    assert isinstance(pieces, AsyncIterator)
    assert [each async for each in pieces] == [{"x-by": "echo"}, b"one", b"two"]


async def test_what_a_model_does_not_offer_is_refused_as_in_the_server() -> None:
    hosted = await host(Echo(), Arguments())
    with pytest.raises(NotImplementedByModel):
        await hosted.v1({}, {}, explain=True)


async def test_batches_are_each_replica_s_own() -> None:
    hosted = await host(Echo(), Arguments(max_batch_size=4))
    request = InferenceRequest("echo", [Tensor("x", "INT64", (1,), np.ones(1, np.int64))])
    assert (await hosted.infer(request)).outputs[0].data.tolist() == [1]
