from __future__ import annotations

import asyncio

import pytest
from modelwright.errors import NotImplementedByModel
from modelwright.model import Model, V1Answer
from modelwright.server.admin.counted import Counted


class Slow(Model):
    name = "slow"
    ready = True

    def __init__(self):
        self.go = asyncio.Event()
        self.closed = False

    async def predict_v1(self, payload, headers):
        if payload.get("pieces"):
            return V1Answer(self.pieces(), {})
        await self.go.wait()
        return V1Answer({}, {})

    async def pieces(self):
        try:
            yield b"1"
            yield b"2"
        finally:
            self.closed = True


async def test_it_is_idle_once_its_requests_have_ended():
    model = Slow()
    counted = Counted(model)
    assert await counted.idle(0.001)
    request = asyncio.ensure_future(counted.predict_v1({}, {}))
    await asyncio.sleep(0)
    assert not await counted.idle(0.001)
    model.go.set()
    await request
    assert await counted.idle(30)


async def test_an_answer_in_pieces_is_in_work_until_its_last_or_until_it_is_closed():
    model = Slow()
    counted = Counted(model)
    pieces = (await counted.predict_v1({"pieces": True}, {})).result
    assert await anext(pieces) == b"1"
    assert not await counted.idle(0.001)
    await pieces.aclose()
    assert await counted.idle(30)
    assert model.closed


def test_what_the_model_does_not_offer_it_does_not():
    with pytest.raises(NotImplementedByModel):
        Counted(Slow()).stream(None)
