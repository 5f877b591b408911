"""The keyed queue: state in, calls, state out, on a clock that only the test moves."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright_operator.queue import Backoff, KeyedQueue, RetryLater


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> KeyedQueue[str]:
    return KeyedQueue(clock=clock, chance=lambda: 0.0, backoff=Backoff(first=1.0, most=8.0, jitter=0.5))


def test_a_key_added_twice_is_taken_once(queue):
    queue.add("a")
    queue.add("a")
    assert queue.take() == "a"
    assert queue.take() is None


def test_keys_are_taken_in_the_order_in_which_they_were_added(queue):
    for key in "cab":
        queue.add(key)
    assert [queue.take() for _ in range(3)] == ["c", "a", "b"]


def test_a_key_added_while_it_is_worked_on_waits_for_its_worker(queue):
    queue.add("a")
    queue.take()
    queue.add("a")
    assert queue.take() is None
    queue.done("a")
    assert queue.take() == "a"


def test_a_key_that_is_done_is_not_taken_again(queue):
    queue.add("a")
    queue.done(queue.take())
    assert queue.take() is None
    assert queue.next_due() is None


def test_a_delayed_key_waits_and_an_earlier_ask_wins(queue, clock):
    queue.add("a", after=10)
    queue.add("a", after=3)
    queue.add("a", after=20)
    assert queue.next_due() == 3
    clock.advance(2.9)
    assert queue.take() is None
    clock.advance(0.2)
    assert queue.take() == "a"
    queue.done("a")
    clock.advance(60)
    assert queue.take() is None


def test_failures_back_off_exponentially_up_to_the_most_and_success_forgives(queue, clock):
    queue.add("a")
    waits = []
    for _ in range(6):
        clock.advance(queue.next_due())
        queue.done(queue.take(), failed=True)
        waits.append(queue.next_due())
    assert waits == [1, 2, 4, 8, 8, 8]
    clock.advance(8)
    queue.done(queue.take())
    queue.add("a")
    queue.done(queue.take(), failed=True)
    assert queue.next_due() == 1


def test_news_about_a_failing_key_is_not_held_back_by_its_backoff(queue):
    queue.add("a")
    queue.done(queue.take(), failed=True)
    queue.add("a")
    assert queue.take() == "a"


def test_a_failing_key_delays_no_other(queue, clock):
    queue.add("bad")
    for _ in range(5):
        clock.advance(queue.next_due())
        queue.done(queue.take(), failed=True)
    queue.add("good")
    assert queue.take() == "good"


def test_a_worker_can_ask_for_its_key_again_later(queue, clock):
    queue.add("a")
    queue.done(queue.take(), again=5.0)
    assert queue.next_due() == 5
    clock.advance(5)
    assert queue.take() == "a"


def test_a_forgotten_key_is_not_taken_and_its_failures_are_forgotten_too(queue):
    queue.add("a")
    queue.done(queue.take(), failed=True)
    queue.forget("a")
    assert queue.next_due() is None
    queue.add("a")
    queue.done(queue.take(), failed=True)
    assert queue.next_due() == 1


def test_jitter_only_shortens():
    backoff = Backoff(first=1.0, most=60.0, jitter=0.5)
    assert backoff.delay(3, 0.0) == 4.0
    assert 2.0 <= backoff.delay(3, 0.999) < 4.0


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1, exclude_max=True))
def test_no_delay_is_longer_than_the_most_or_negative(failures, chance):
    assert 0 < Backoff(first=0.2, most=60.0).delay(failures, chance) <= 60.0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["add", "late", "work", "fail", "pass"]))))
def test_no_key_is_held_twice_and_none_that_was_added_is_lost(steps):
    clock = Clock()
    queue: KeyedQueue[str] = KeyedQueue(clock=clock, chance=lambda: 0.5)
    held: set[str] = set()
    owed: set[str] = set()
    for key, step in steps:
        if step in ("add", "late"):
            queue.add(key, after=1.0 if step == "late" else 0.0)
            owed.add(key)
        elif step == "work":
            taken = queue.take()
            assert taken is None or taken not in held
            if taken:
                held.add(taken)
                owed.discard(taken)
        elif key in held:
            queue.done(key, failed=step == "fail")
            held.discard(key)
            if step == "fail":
                owed.add(key)
        clock.advance(0.1)
    for key in held:
        queue.done(key)
    clock.advance(120)
    left = set()
    while (taken := queue.take()) is not None:
        left.add(taken)
    assert left == owed


async def test_no_more_keys_are_worked_on_than_there_are_workers():
    queue: KeyedQueue[int] = KeyedQueue()
    gate, release = asyncio.Event(), asyncio.Event()
    gate.set()
    busy: set[int] = set()
    most = 0

    async def work(key: int) -> None:
        nonlocal most
        busy.add(key)
        most = max(most, len(busy))
        await release.wait()
        busy.discard(key)

    for key in range(10):
        queue.add(key)
    runner = asyncio.create_task(queue.run(work, workers=3, gate=gate))
    await _turns()
    assert busy == {0, 1, 2}
    release.set()
    await _turns()
    assert (most, len(queue)) == (3, 0)
    await _end(runner)


async def test_nothing_is_worked_on_while_the_gate_is_shut():
    queue: KeyedQueue[int] = KeyedQueue()
    gate = asyncio.Event()
    done: list[int] = []

    async def work(key: int) -> None:
        done.append(key)

    queue.add(1)
    runner = asyncio.create_task(queue.run(work, workers=3, gate=gate))
    await _turns()
    assert done == []
    gate.set()
    await _turns()
    assert done == [1]
    gate.clear()
    queue.add(2)
    await _turns()
    assert done == [1]
    gate.set()
    await _turns()
    assert done == [1, 2]
    await _end(runner)


async def test_work_that_raises_is_retried_and_stops_nobody(caplog):
    queue: KeyedQueue[str] = KeyedQueue(backoff=Backoff(first=0.001))
    gate = asyncio.Event()
    gate.set()
    tries: list[str] = []
    enough = asyncio.Event()

    async def work(key: str) -> None:
        tries.append(key)
        if len(tries) == 5:
            enough.set()
        if key == "later" and tries.count(key) == 1:
            raise RetryLater("the server is away")
        if key == "broken" and tries.count(key) == 1:
            raise ZeroDivisionError

    for key in ("broken", "later", "fine"):
        queue.add(key)
    runner = asyncio.create_task(queue.run(work, workers=1, gate=gate))
    async with asyncio.timeout(5):
        await enough.wait()
    assert sorted(tries) == ["broken", "broken", "fine", "later", "later"]
    expected, unexpected = "later: the server is away", "broken: failed"
    lines = [(record.levelname, record.getMessage(), record.exc_info is not None) for record in caplog.records]
    assert ("WARNING", expected, False) in lines
    assert any(level == "ERROR" and text.startswith(unexpected) and trace for level, text, trace in lines)
    await _end(runner)


async def test_the_queue_ends_at_once_however_busy_it_is():
    queue: KeyedQueue[int] = KeyedQueue()
    gate = asyncio.Event()
    gate.set()

    async def work(key: int) -> float:
        await asyncio.sleep(0)
        return 0.0

    for key in range(50):
        queue.add(key)
    runner = asyncio.create_task(queue.run(work, workers=4, gate=gate))
    await _turns()
    async with asyncio.timeout(2):
        await _end(runner)
    assert queue.in_flight == frozenset()


async def _turns() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
