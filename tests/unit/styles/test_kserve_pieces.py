"""What an author's method yields: where its code runs, what is raised, and how it is closed."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest
from modelwright import errors
from modelwright.styles.kserve.pieces import only, pieces, yields
from modelwright.styles.kserve.twins.errors import InvalidInput


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2, thread_name_prefix="model") as made:
        yield made


@pytest.fixture
def call(pool: ThreadPoolExecutor) -> Any:
    async def call(function: Any, *arguments: Any) -> Any:
        assert not hasattr(function, "__code__"), "what has code may be run on the event loop"
        return await asyncio.get_running_loop().run_in_executor(pool, function, *arguments)

    return call


async def gather(call: Any, result: Any) -> list[Any]:
    return [piece async for piece in pieces(call, result)]


async def test_synchronous_code_runs_and_is_closed_in_threads(call: Any) -> None:
    seen = []

    def author() -> Iterator[int]:
        try:
            for number in range(3):
                seen.append(threading.current_thread().name)
                yield number
        finally:
            seen.append(threading.current_thread().name)

    assert await gather(call, author()) == [0, 1, 2]
    async with aclosing(pieces(call, author())) as left:
        assert await anext(left) == 0
    assert len(seen) == 6
    assert all(name.startswith("model") for name in seen)


async def test_any_iterator_comes_in_pieces_and_a_list_does_not(call: Any) -> None:
    assert await gather(call, map(str, (1, 2))) == ["1", "2"]
    assert await gather(call, [1, 2]) == [[1, 2]]
    assert not yields({"a": 1})


async def test_a_step_that_still_runs_is_waited_for_before_it_is_closed(call: Any) -> None:
    begun, go, closed = threading.Event(), threading.Event(), []

    def author() -> Iterator[int]:
        try:
            begun.set()
            go.wait(30)
            yield 1
        finally:
            closed.append(True)

    source = pieces(call, author())
    step = asyncio.ensure_future(anext(source))
    assert await asyncio.to_thread(begun.wait, 30)
    step.cancel()
    asyncio.get_running_loop().call_later(0.1, go.set)
    with pytest.raises(asyncio.CancelledError):
        await step
    assert closed == [True]


async def test_what_is_meant_for_the_caller_is_raised_as_ours(call: Any) -> None:
    def refusing() -> Iterator[int]:
        yield 1
        raise InvalidInput("no")

    async def failing() -> Any:
        yield 1
        raise RuntimeError("broken")

    with pytest.raises(errors.InvalidInput, match="no"):
        await gather(call, refusing())
    with pytest.raises(RuntimeError, match="broken"):
        await gather(call, failing())


async def test_only_one_piece_is_an_answer(call: Any) -> None:
    assert await only(call, iter([1])) == 1
    for several in ([], [1, 2]):
        with pytest.raises(errors.InvalidInput, match="infer_stream"):
            await only(call, iter(several))
