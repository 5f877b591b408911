"""Calls of one model: who is answered together, who alone, and who is not answered any more."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass, field

import numpy as np
from modelwright.errors import DeadlineExceeded, InvalidInput
from modelwright.model import Model, ModelMetadata, TensorMetadata, V1Answer
from modelwright.server import log
from modelwright.server.arguments import Arguments
from modelwright.server.batching.model import BatchedModel
from modelwright.server.caller import CALLER, Caller
from modelwright.server.wrapped import WrappedModel
from modelwright.tensors import InferenceRequest, InferenceResponse, Tensor
from modelwright.timings import TIMINGS, Timings


@dataclass
class Doubling(Model):
    """Doubles its input once its gate is open, and notes the rows of each call; a negative number is refused."""

    name: str = "double"
    ready: bool = True
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    calls: list[int] = field(default_factory=list)
    callers: list[Caller | None] = field(default_factory=list)
    busy: bool = False
    whole: bool = False

    def bind(self, execution):
        self.execution = execution

    def metadata(self):
        return ModelMetadata(self.name)

    async def infer(self, request):
        data = request.inputs[0].data
        self.calls.append(len(data))
        self.callers.append(CALLER.get())
        await self.gate.wait()
        timings = TIMINGS.get()
        if timings is not None:
            timings.predict = 0.25
        if (data < 0).any():
            raise InvalidInput("input 'x' is negative")
        doubled = data.sum(0, keepdims=True) if self.whole else data * 2
        return InferenceResponse(self.name, [Tensor("y", "FP32", doubled.shape, doubled)], request.id)

    async def predict_v1(self, payload, headers):
        self.calls.append(len(payload["instances"]))
        await self.gate.wait()
        return V1Answer({"predictions": [each * 2 for each in payload["instances"]]}, dict(headers))


class Threads:
    """An execution whose only thread is taken until `gate` is open."""

    def __init__(self, gate):
        self.gate = gate

    async def call(self, function, *arguments):
        await self.gate.wait()
        return function(*arguments)


def make(model, **arguments):
    sizes = []
    given = {"max_batch_size": 8, "max_batch_latency_ms": 5.0, "batch_timeout": 30.0, **arguments}
    batched = BatchedModel(model, Arguments(**given), sizes.append)
    return batched, sizes


def ask(value, rows=1, **more):
    data = np.full((rows, 1), value, np.float32)
    return InferenceRequest("double", [Tensor("x", "FP32", data.shape, data)], str(value), **more)


def values(response):
    return response.outputs[0].data.ravel().tolist()


async def settle():
    """Let all that can happen now happen."""
    for _ in range(20):
        await asyncio.sleep(0)


async def gather(model, batched, *requests):
    """Send requests while the model is busy with one of another kind, and free it."""
    first = asyncio.ensure_future(batched.infer(ask(0, headers={"x-tenant": "first"})))
    await settle()
    tasks = [asyncio.ensure_future(batched.infer(request)) for request in requests]
    await settle()
    model.gate.set()
    await first
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_requests_beside_a_busy_model_are_one_call_and_get_their_own_rows():
    batched, sizes = make(model := Doubling(), max_batch_latency_ms=10_000.0)
    answers = await gather(model, batched, ask(1, 2), ask(2), ask(3, 3))
    assert [(each.id, values(each)) for each in answers] == [("1", [2, 2]), ("2", [4]), ("3", [6, 6, 6])]
    assert model.calls == [1, 6]
    assert sizes == [1, 3]


async def test_a_request_alone_is_its_own_callers():
    batched, _ = make(model := Doubling())
    model.gate.set()
    CALLER.set(caller := Caller([]))
    assert values(await batched.infer(ask(1))) == [2]
    assert model.callers == [caller]


async def test_a_shared_call_is_no_callers():
    CALLER.set(Caller([]))
    batched, _ = make(model := Doubling(), max_batch_latency_ms=10_000.0)
    await gather(model, batched, ask(1), ask(2))
    assert model.callers[1] is None


async def test_what_comes_in_with_a_request_joins_it():
    batched, _ = make(model := Doubling())
    model.gate.set()
    await asyncio.gather(*(batched.infer(ask(each)) for each in range(5)))
    assert model.calls == [5]


async def test_one_bad_request_fails_alone(caplog, monkeypatch):
    monkeypatch.setattr(log.LOGGER, "propagate", True)
    batched, _ = make(model := Doubling(), max_batch_latency_ms=10_000.0)
    with caplog.at_level(logging.INFO, "modelwright.server"):
        good, bad, other = await gather(model, batched, ask(1), ask(-1), ask(3))
    assert (values(good), values(other)) == ([2], [6])
    assert isinstance(bad, InvalidInput)
    assert model.calls == [1, 3, 1, 1, 1]
    said = [record.getMessage() for record in caplog.records if "tried alone" in record.getMessage()]
    assert said == ["a call for 3 V2 requests to model 'double' failed: InvalidInput; each of them is tried alone"]


async def test_a_model_that_does_not_answer_row_by_row_is_left_unbatched(caplog, monkeypatch):
    monkeypatch.setattr(log.LOGGER, "propagate", True)
    batched, _ = make(model := Doubling(whole=True), max_batch_latency_ms=10_000.0)
    for _ in range(4):
        model.gate.clear()
        answers = await gather(model, batched, ask(1), ask(2))
        assert [values(each) for each in answers] == [[1], [2]]
    assert model.calls == [1, 2, 1, 1] * 3 + [1, 1, 1]
    assert sum("are not batched any more" in record.getMessage() for record in caplog.records) == 1


async def test_bad_requests_do_not_end_the_batching():
    batched, _ = make(model := Doubling(), max_batch_latency_ms=10_000.0)
    for _ in range(5):
        model.gate.clear()
        await gather(model, batched, ask(1), ask(-1))
    model.calls.clear()
    model.gate.clear()
    await gather(model, batched, ask(1), ask(2))
    assert model.calls == [1, 2]


async def test_what_cannot_share_a_call_goes_alone_at_once():
    batched, _ = make(model := Doubling(), max_batch_latency_ms=10_000.0)
    ragged = ask(2)
    ragged.inputs.append(Tensor("z", "FP32", (3,), np.zeros(3, np.float32)))
    tasks = [asyncio.ensure_future(batched.infer(each)) for each in (ragged, ask(3, 8), ask(4, 9))]
    await settle()
    assert model.calls == [1, 8, 9]
    model.gate.set()
    await asyncio.gather(*tasks)


async def test_a_caller_that_leaves_takes_only_its_own_request_away():
    batched, _ = make(model := Doubling(), max_batch_latency_ms=10_000.0)
    first = asyncio.ensure_future(batched.infer(ask(1)))
    await settle()
    caller = Caller([])

    async def leaving():
        CALLER.set(caller)
        await batched.infer(ask(2))

    tasks = [asyncio.ensure_future(each) for each in (leaving(), batched.infer(ask(3)), batched.infer(ask(4)))]
    await settle()
    caller.leave()
    tasks[2].cancel()
    await settle()
    model.gate.set()
    await first
    assert values(await tasks[1]) == [6]
    assert model.calls == [1, 1]
    assert [each.cancelled() for each in tasks] == [True, False, True]


async def test_leaving_a_shared_call_ends_it_only_with_its_last_caller():
    batched, _ = make(model := Doubling(), max_batch_size=2, max_batch_latency_ms=10_000.0)
    tasks = [asyncio.ensure_future(batched.infer(ask(each))) for each in range(2)]
    await settle()
    assert model.calls == [2]
    tasks[0].cancel()
    await settle()
    assert not tasks[1].done()
    tasks[1].cancel()
    await settle()
    assert all(each.cancelled() for each in tasks)
    model.gate.set()
    assert values(await batched.infer(ask(5))) == [10]


async def test_a_caller_that_leaves_when_its_turn_comes_leaves_no_trace():
    batched, _ = make(model := Doubling())
    model.gate.set()
    task = asyncio.ensure_future(batched.infer(ask(1)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await settle()
    assert model.calls == []
    assert values(await batched.infer(ask(2))) == [4]
    assert model.calls == [1]


async def test_a_call_that_takes_too_long_is_given_up_for_all():
    batched, _ = make(model := Doubling(), max_batch_size=2, batch_timeout=0.05)
    several = [batched.infer(ask(each)) for each in range(2)]
    answers = await asyncio.gather(*several, batched.infer(ask(9, 2)), return_exceptions=True)
    assert [type(each) for each in answers] == [DeadlineExceeded] * 3
    assert "took longer than the 0.05 s that the server's --batch_timeout allows" in str(answers[0])
    model.gate.set()
    assert values(await batched.infer(ask(5))) == [10]


async def test_the_server_stopping_gives_up_those_that_wait():
    class Stopped(Doubling):
        async def infer(self, request):
            raise asyncio.CancelledError

    batched, _ = make(Stopped())
    answers = await asyncio.gather(*(batched.infer(ask(each)) for each in range(2)), return_exceptions=True)
    assert [type(each) for each in answers] == [asyncio.CancelledError] * 2


async def test_a_thread_that_is_busy_is_not_queued_at_in_small_batches():
    class Synchronous(Doubling):
        async def infer(self, request):
            self.calls.append(len(request.inputs[0].data))
            data = await self.execution.call(np.multiply, request.inputs[0].data, 2)
            return InferenceResponse(self.name, [Tensor("y", "FP32", data.shape, data)], request.id)

    batched, _ = make(model := Synchronous(), max_batch_latency_ms=0.0)
    batched.bind(Threads(model.gate))
    first = asyncio.ensure_future(batched.infer(ask(0)))
    await settle()
    tasks = []
    for value in range(1, 5):
        tasks.append(asyncio.ensure_future(batched.infer(ask(value))))
        await settle()
    assert model.calls == [1]
    model.gate.set()
    await first
    assert [values(each) for each in await asyncio.gather(*tasks)] == [[2], [4], [6], [8]]
    assert model.calls == [1, 4]


async def test_v1_instances_share_a_call_and_v2_does_not_join_them():
    batched, _ = make(model := Doubling())
    model.gate.set()
    several = [batched.predict_v1({"instances": [each, each + 1]}, {"host": "h"}) for each in (1, 10)]
    first, second, third = await asyncio.gather(*several, batched.infer(ask(5)))
    assert first.result == {"predictions": [2, 4]}
    assert second.result == {"predictions": [20, 22]}
    assert first.headers == {"host": "h"}
    assert values(third) == [10]
    assert sorted(model.calls) == [1, 4]


async def test_each_request_is_told_the_time_of_its_call():
    batched, _ = make(model := Doubling())
    model.gate.set()
    mine = Timings()

    async def timed():
        TIMINGS.set(mine)
        return await batched.infer(ask(1))

    await asyncio.gather(timed(), timed())
    assert model.calls == [2]
    assert mine.predict == 0.25
    assert mine.queue > 0
    assert mine.batch == 2


async def test_only_a_call_that_answered_a_request_is_its_batch():
    async def timed(batched, value):
        timings = Timings()
        TIMINGS.set(timings)
        (answer,) = await asyncio.gather(batched.infer(ask(value)), return_exceptions=True)
        return timings.batch, type(answer)

    batched, _ = make(model := Doubling())
    model.gate.set()
    assert await timed(batched, 1) == (0, InferenceResponse)
    # The call that they share fails, and each is answered by one of its own.
    together = await asyncio.gather(*(timed(batched, value) for value in (1, -1)))
    assert together == [(0, InferenceResponse), (0, InvalidInput)]
    late, _ = make(Doubling(), batch_timeout=0.05)
    together = await asyncio.gather(*(timed(late, value) for value in (1, 2)))
    assert together == [(2, DeadlineExceeded)] * 2


async def test_a_model_that_declares_its_number_of_rows_is_not_batched(caplog, monkeypatch):
    monkeypatch.setattr(log.LOGGER, "propagate", True)

    class Declared(Doubling):
        def metadata(self):
            return ModelMetadata(self.name, inputs=(TensorMetadata("x", "FP32", (1, 1)),))

    batched, _ = make(model := Declared())
    batched.bind(Threads(model.gate))
    model.gate.set()
    await asyncio.gather(*(batched.infer(ask(each)) for each in range(3)))
    assert model.calls == [1, 1, 1]
    assert "its input 'x' is declared with 1 rows; declare -1 for any number" in caplog.text


def test_all_else_is_the_models_own():
    offered = {name for name in vars(Model) if not name.startswith("_")} | {"ready"}
    assert offered - set(vars(BatchedModel)) - set(vars(WrappedModel)) == set()
    batched, _ = make(model := Doubling())
    batched.ready = False
    assert (model.ready, batched.ready, batched.name, batched.metadata()) == (False, False, "double", model.metadata())


async def test_whoever_leaves_whenever_nothing_is_lost_and_nothing_hangs():
    class Yielding(Doubling):
        async def infer(self, request):
            for _ in range(randomly.randrange(4)):
                await asyncio.sleep(0)
            return await super().infer(request)

    randomly = random.Random(4)
    batched, _ = make(model := Yielding(), max_batch_latency_ms=0.0)
    model.gate.set()
    tasks = []
    for value in range(2000):
        asked = ask(value % 7 - 1, randomly.randrange(1, 10), headers={"x-tenant": randomly.choice("ab")})
        tasks.append((value % 7 - 1, asyncio.ensure_future(batched.infer(asked))))
        if randomly.random() < 0.3:
            await asyncio.sleep(0)
        if randomly.random() < 0.2:
            randomly.choice(tasks)[1].cancel()
    answers = await asyncio.wait_for(asyncio.gather(*(each for _, each in tasks), return_exceptions=True), 60)
    for (value, _), answer in zip(tasks, answers, strict=True):
        if isinstance(answer, InferenceResponse):
            assert set(values(answer)) == {2 * value}
        else:
            assert isinstance(answer, asyncio.CancelledError) or (value < 0 and isinstance(answer, InvalidInput))
    assert len(model.calls) < len(tasks)
    # The model counts as idle again: a lone request does not wait.
    model.calls.clear()
    assert values(await batched.infer(ask(1))) == [2]
    assert (batched._batcher._running, bool(batched._batcher._queue)) == (0, False)
