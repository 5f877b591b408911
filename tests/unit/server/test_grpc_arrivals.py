"""Requests over gRPC that do not arrive, or slowly: who is given up, and who is not."""

from __future__ import annotations

import asyncio

import pytest
from modelwright.server.grpc.wire import frames
from modelwright.server.grpc.wire.call import Call
from modelwright.server.grpc.wire.frames import frame

from tests.unit.server.h2_peer import Peer, framed, settle


def data(stream: int, content: bytes, *, end: bool = False) -> bytes:
    return frame(frames.DATA, frames.END_STREAM if end else 0, stream, content)


async def size(call: Call) -> None:
    """Answer with the length of the request, so that no answer waits for its client's windows."""
    call.answer(str(len(call.message or b"")).encode())


async def listen(call: Call) -> None:
    while await call.read() is not None:
        pass


class Clock:
    """The loop's time, moved by hand: timers run when their time has come, late ones too."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead = 0.0
        loop = asyncio.get_running_loop()
        real = loop.time
        monkeypatch.setattr(loop, "time", lambda: real() + self._ahead)

    async def pass_(self, seconds: float, step: float = 0.1) -> None:
        for _ in range(round(seconds / step)):
            self._ahead += step
            await settle()


CHAT = (":path", "/test/Chat")
# What a client does and then leaves off: the frames of stream 1.
HALVES = {
    "a head alone": lambda peer: peer.head(1),
    "a prefix in part": lambda peer: peer.head(1) + data(1, b"\0\0"),
    "a message in part": lambda peer: peer.head(1) + data(1, framed(bytes(1000))[:500]),
    "a message without its end": lambda peer: peer.head(1) + data(1, framed(b"whole")),
    "a stream's message in part": lambda peer: peer.head(1, CHAT) + data(1, framed(b"one") + framed(b"two")[:6]),
    "a frame in part": lambda peer: peer.head(1) + data(1, framed(bytes(1000)), end=True)[:200],
}


@pytest.mark.parametrize("case", HALVES)
async def test_a_request_that_does_not_arrive_is_given_up(case, monkeypatch):
    clock, peer = Clock(monkeypatch), Peer(body_timeout=4)
    peer.send(HALVES[case](peer))
    await clock.pass_(3.5)
    before = peer.frames()
    assert not any(each.flags & frames.END_STREAM for each in before if each.kind in (frames.DATA, frames.HEADERS))
    peer.outcome(1, before)
    await clock.pass_(2.5)
    after = peer.frames()
    fields, _ = peer.outcome(1, after)
    assert (fields["grpc-status"], "--body_timeout" in fields["grpc-message"]) == ("4", True)
    # Nothing of it is kept, and it is told to send no more.
    assert [each.code for each in after if each.kind == frames.RST_STREAM] == [frames.NO_ERROR]
    peer.send(peer.call(3))
    # What was left of the frame in part is read as the frame that it is.
    if case != "a frame in part":
        assert (await peer.answered(3))[1] == framed(b"ping")


async def test_a_byte_a_minute_does_not_keep_a_message_and_16_kib_a_second_do(monkeypatch):
    clock, peer = Clock(monkeypatch), Peer(Echo=size, body_timeout=4)
    message = framed(bytes(200_000))
    peer.send(peer.head(1), data(1, message[:10]), peer.head(3), data(3, message[:10]))
    left = len(message) - 10
    for second in range(12):
        if second == 6:
            peer.send(data(1, b"\0"))
        piece = min(left, 17_000)
        left -= piece
        peer.send(data(3, bytes(piece), end=not left))
        await clock.pass_(1)
    came = peer.frames()
    assert peer.outcome(1, came)[0]["grpc-status"] == "4"
    assert b"".join(each.payload for each in came if (each.kind, each.stream) == (frames.DATA, 3)) == framed(b"200000")


async def test_messages_that_share_a_slow_connection_share_its_time(monkeypatch):
    clock, peer = Clock(monkeypatch), Peer(Echo=size, body_timeout=4)
    message = framed(bytes(40_000))
    streams = range(1, 21, 2)
    peer.send(*(peer.head(stream) + data(stream, message[:5]) for stream in streams))
    # 20,000 bytes a second in all, so 2,000 of each: alone, none would come fast enough.
    for begin in range(5, len(message), 2000):
        piece = message[begin : begin + 2000]
        peer.send(*(data(stream, piece, end=begin + 2000 >= len(message)) for stream in streams))
        await clock.pass_(1)
    answers = [each.payload for each in peer.frames() if each.kind == frames.DATA]
    assert answers == [framed(b"40000")] * len(streams)


def left_over(peer: Peer) -> list[int]:
    """Streams on which the server still waits."""
    (connection,) = peer.open
    return list(connection._streams._calls)


async def test_a_stream_may_be_silent_between_its_messages(monkeypatch):
    clock, peer = Clock(monkeypatch), Peer(body_timeout=4)
    peer.send(peer.head(1, CHAT))
    for _ in range(3):
        await clock.pass_(60, step=5)
        piece = framed(b"hello")
        peer.send(data(1, piece[:3]), data(1, piece[3:]))
    fields, answer = await peer.answered(1)
    assert (answer, "grpc-status" in fields) == (3 * framed(b"hello"), False)


async def test_a_long_stream_has_not_earned_the_right_to_stall(monkeypatch):
    clock, peer = Clock(monkeypatch), Peer(Chat=listen, body_timeout=4)
    peer.send(peer.head(1, CHAT))
    for _ in range(20):
        peer.send(data(1, framed(bytes(100_000))))
        await settle()
    peer.send(data(1, framed(b"last")[:6]))
    await clock.pass_(6)
    fields, _ = await peer.answered(1)
    assert fields["grpc-status"] == "4"


async def test_a_message_that_waits_for_leave_to_go_on_is_not_late(monkeypatch):
    clock = Clock(monkeypatch)
    limit = 40 * 1024 * 1024
    peer = Peer(limit=limit, body_timeout=4)
    prefix = b"\0" + (limit - 5).to_bytes(4, "big")
    # Two may send what one connection may hold; the third may not send more than any message.
    for stream in (1, 3, 5):
        peer.send(peer.head(stream), data(stream, prefix))
    await clock.pass_(6)
    assert left_over(peer) == [5]
    assert {f.stream for f in peer.frames() if f.kind == frames.WINDOW_UPDATE and f.stream} == {1, 3, 5}
    # Now it may, and does not.
    await clock.pass_(6)
    assert not left_over(peer)


async def test_a_loop_that_was_held_up_blames_nobody(monkeypatch):
    clock, peer = Clock(monkeypatch), Peer(body_timeout=4)
    peer.send(peer.head(1), data(1, framed(b"ping")[:6]))
    # As when the author's code had the loop for a minute: what the client sent meanwhile is not read yet.
    await clock.pass_(60, step=30)
    peer.send(data(1, framed(b"ping")[6:], end=True))
    assert (await peer.answered(1))[1] == framed(b"ping")


async def test_nothing_is_looked_at_once_all_has_arrived(monkeypatch):
    clock, peer = Clock(monkeypatch), Peer(body_timeout=4)
    peer.send(peer.call(1), peer.head(3, CHAT))
    await clock.pass_(2)
    (connection,) = peer.open
    assert connection._streams.arrivals.timer is None
