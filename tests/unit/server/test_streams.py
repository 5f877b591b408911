"""An answer in pieces, from the author's iterator to the bytes that are sent."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from modelwright.errors import DeadlineExceeded, InvalidInput
from modelwright.server.caller import Caller
from modelwright.server.limits import moment
from modelwright.server.rest import sse
from modelwright.server.rest.bodies import ClientLeft
from modelwright.server.rest.pieces import send_pieces
from modelwright.server.streams import EVENTS, PLAIN, CutOff, Form, Stream

HEADERS = [(b"x-request-id", b"r-1")]


class Source:
    """An author's iterator: gives its pieces, raises those that are exceptions, waits at those that are events."""

    def __init__(self, *pieces: Any) -> None:
        self._pieces = list(pieces)
        self.asked = self.closed = 0
        self.waits = asyncio.Event()

    def __aiter__(self) -> "Source":
        return self

    async def __anext__(self) -> Any:
        self.asked += 1
        if not self._pieces:
            raise StopAsyncIteration
        piece = self._pieces.pop(0)
        if isinstance(piece, asyncio.Event):
            self.waits.set()
            await piece.wait()
        if isinstance(piece, BaseException):
            raise piece
        return piece

    async def aclose(self) -> None:
        self.closed += 1


def streaming(source: Source, form: Form = EVENTS, seconds: float | None = None) -> tuple[Stream[bytes], list[str]]:
    ended: list[str] = []
    stream: Stream[bytes] = Stream(source, lambda piece: piece, Caller(HEADERS), moment(seconds), form)
    stream.on_end = lambda: ended.append("end")
    return stream, ended


async def all_of(stream: AsyncIterator[bytes]) -> list[bytes]:
    return [piece async for piece in stream]


async def test_pieces_come_in_order_and_the_end_is_told_once() -> None:
    source = Source(b"a", b"b")
    stream, ended = streaming(source)
    assert await stream.begin() == b"a"
    assert source.asked == 1
    assert await all_of(stream) == [b"a", b"b"]
    await stream.aclose()
    assert (ended, source.closed) == (["end"], 1)


async def test_no_pieces_are_an_empty_body_with_its_end() -> None:
    stream, ended = streaming(Source(), Form(last=b"done"))
    assert await stream.begin() is None
    assert await all_of(stream) == [b"done"]
    assert ended == ["end"]


async def test_an_error_in_the_first_piece_is_raised_and_closes() -> None:
    source = Source(InvalidInput("no"))
    stream, ended = streaming(source)
    with pytest.raises(InvalidInput):
        await stream.begin()
    assert (ended, source.closed) == (["end"], 1)


@pytest.mark.parametrize(
    ("error", "said"),
    [(InvalidInput("no"), "no"), (RuntimeError("/secret"), "the model failed"), (asyncio.CancelledError(), "stopped")],
)
async def test_a_later_error_is_the_last_event(error: BaseException, said: str) -> None:
    source = Source(b"a", error, b"never")
    stream, ended = streaming(source)
    await stream.begin()
    first, last = await all_of(stream)
    assert first == b"a"
    assert last.startswith(b"event: error\ndata: {")
    told = json.loads(last.split(b"data: ")[1])
    assert said in told["error"]
    assert told["request_id"] == "r-1"
    assert b"secret" not in last
    assert (ended, source.closed) == (["end"], 1)


async def test_a_form_without_errors_breaks_off() -> None:
    stream, _ = streaming(Source(b"a", RuntimeError("no")), PLAIN)
    await stream.begin()
    assert await anext(stream) == b"a"
    with pytest.raises(CutOff):
        await anext(stream)
    await stream.aclose()


async def test_the_deadline_counts_from_the_request_on() -> None:
    stream, _ = streaming(Source(b"a", asyncio.Event()), seconds=0.05)
    await stream.begin()
    assert b"time that the caller allowed" in (await all_of(stream))[-1]
    early, ended = streaming(Source(asyncio.Event()), seconds=0.05)
    with pytest.raises(DeadlineExceeded):
        await early.begin()
    assert ended == ["end"]


async def test_a_caller_that_leaves_cancels_what_it_waits_for() -> None:
    source, caller = Source(b"a", asyncio.Event()), Caller(HEADERS)

    async def whole() -> None:
        stream: Stream[bytes] = Stream(source, lambda piece: piece, caller, None, EVENTS)
        await stream.begin()
        await send_pieces(Asked(), 200, [], stream)

    task = asyncio.create_task(whole())
    await source.waits.wait()
    caller.leave()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.closed == 1


async def test_an_error_while_closing_is_logged_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"a"
        finally:
            raise RuntimeError("cannot close")

    caplog.set_level("ERROR")
    ended: list[str] = []
    stream: Stream[bytes] = Stream(source(), lambda piece: piece, Caller(HEADERS), None, EVENTS)
    stream.on_end = lambda: ended.append("end")
    await stream.begin()
    await stream.aclose()
    assert ended == ["end"]
    assert "cannot close" in caplog.text


class Asked:
    """What sending in pieces needs of a request; its client reads, or it reads nothing once there is something."""

    def __init__(self, *, reads: bool = True) -> None:
        self.written: list[bytes] = []
        self.turns: list[str] = []
        self.aborted = False
        self._reads = reads

    @property
    def blocked(self) -> bool:
        return not self._reads and bool(self.written)

    async def room(self) -> None:
        await asyncio.Event().wait()

    def begin(self, status: int, headers: Any, length: int | None, *, close: bool) -> None:
        self.written.append(b"%d" % status)

    def write(self, piece: bytes) -> None:
        self.written.append(piece)
        self.turns.append("piece")

    def end(self) -> None:
        self.written.append(b"end")

    def abort(self) -> None:
        self.aborted = True


async def test_a_client_that_takes_nothing_counts_as_gone() -> None:
    source, stuck = Source(b"a", b"b"), Asked(reads=False)
    with pytest.raises(ClientLeft):
        await send_pieces(stuck, 200, [], source, patience=0.05)
    assert (source.asked, source.closed) == (1, 1)
    assert stuck.aborted
    assert stuck.written == [b"200"]


async def test_others_have_the_loop_between_pieces() -> None:
    asked = Asked()
    turns = asked.turns

    async def other() -> None:
        for _ in range(3):
            turns.append("other")
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await send_pieces(asked, 200, [], Source(b"a", b"b", b"c"))
    await task
    assert turns.index("other") < len(turns) - 1 - turns[::-1].index("piece")


def test_an_event_has_one_line_of_data() -> None:
    assert sse.event(b'{"a":1}') == b'data: {"a":1}\n\n'
    assert sse.event(b"{}", b"error") == b"event: error\ndata: {}\n\n"
