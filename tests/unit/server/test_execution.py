from __future__ import annotations

import asyncio
import threading
import time

import pytest
from modelwright.server.caller import CALLER, Caller
from modelwright.server.execution import SECOND_STREAK, SLOW, STREAK, Execution, Pace


@pytest.fixture
def execution():
    made = Execution(1, 10)
    yield made
    made.close()


def where() -> str:
    return threading.current_thread().name


async def test_code_starts_in_a_thread_and_moves_to_the_loop_when_it_is_fast(execution):
    assert (await execution.call(where)).startswith("model")
    for _ in range(STREAK * 20):
        last = await execution.call(where)
    assert last == threading.main_thread().name


async def test_code_on_the_loop_sees_no_loop_as_in_a_thread(execution):
    def nested() -> str:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return where()
        return "a loop"

    answers = {await execution.call(nested) for _ in range(STREAK * 20)}
    assert threading.main_thread().name in answers
    assert "a loop" not in answers
    assert asyncio.get_running_loop()


async def test_what_the_code_raises_comes_out(execution):
    with pytest.raises(ZeroDivisionError):
        await execution.call(divmod, 1, 0)


def test_one_slow_call_sends_it_back_and_the_second_for_good():
    pace = Pace(object())
    for streak in (STREAK, SECOND_STREAK):
        for _ in range(streak):
            assert not pace.inline
            pace.took(0.0001)
        assert pace.inline
        pace.held_the_loop()
    for _ in range(10 * SECOND_STREAK):
        pace.took(0.0001)
    assert not pace.inline


def test_a_function_that_is_slow_now_and_then_never_moves():
    pace = Pace(object())
    for call in range(10_000):
        pace.took(0.03 if call % 10 == 0 else 0.0001)
        assert not pace.inline


@pytest.mark.parametrize(
    "slow", [lambda: time.sleep(2 * SLOW), lambda: sum(range(3_000_000))], ids=["waits", "computes"]
)
async def test_a_call_that_holds_the_loop_is_noticed(execution, slow):
    turned = False

    def fickle() -> str:
        if turned:
            slow()
        return where()

    while await execution.call(fickle) != threading.main_thread().name:
        pass
    turned = True
    assert await execution.call(fickle) == threading.main_thread().name
    assert (await execution.call(fickle)).startswith("model")


def test_a_creeping_average_sends_it_back():
    pace = Pace(object())
    for _ in range(STREAK):
        pace.took(0.0001)
    for _ in range(100):
        pace.took(0.003)
    assert not pace.inline


async def test_waiting_work_is_given_up_when_its_caller_leaves(execution):
    begun = []
    busy = asyncio.create_task(execution.call(time.sleep, 0.2))
    await asyncio.sleep(0.05)
    caller = Caller([])

    async def ask() -> None:
        CALLER.set(caller)
        await execution.call(begun.append, 1)

    asked = asyncio.create_task(ask())
    await asyncio.sleep(0.05)
    caller.leave()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await busy
    assert not begun
    assert not execution.busy


async def test_the_context_travels_into_the_thread(execution):
    caller = Caller([])
    CALLER.set(caller)
    assert await execution.call(CALLER.get) is caller


def test_a_request_id_is_the_callers_if_it_is_harmless():
    assert Caller([(b"x-request-id", b"abc-1")]).request_id == "abc-1"
    forged = Caller([(b"x-request-id", b"a\nERROR b")])
    assert forged.given_id is None
    assert "ERROR" not in forged.request_id
    assert forged.request_id == forged.request_id != Caller([]).request_id
