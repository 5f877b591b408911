"""gRPC's calls over HTTP/2: their messages, ends and limits, and what a client may not make the server do."""

from __future__ import annotations

import asyncio
import gzip
import random
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from modelwright.server.grpc.metadata import metadata_of
from modelwright.server.grpc.wire import connection as connections
from modelwright.server.grpc.wire import frames
from modelwright.server.grpc.wire import settings as h2
from modelwright.server.grpc.wire.fields import HeaderBlocks, encoded
from modelwright.server.grpc.wire.frames import ConnectionFailed, frame
from modelwright.server.grpc.wire.head import Head
from modelwright.server.grpc.wire.messages import percent_encoded
from modelwright.server.grpc.wire.status import CallRefused, StatusCode

from tests.unit.server.h2_peer import REQUEST, WHOLE, Peer, framed, settle

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def data(stream: int, content: bytes, *, end: bool = False) -> bytes:
    return frame(frames.DATA, frames.END_STREAM if end else 0, stream, content)


async def test_an_answer_is_one_write_and_its_head_is_decoded_once():
    peer = Peer()
    for stream in range(1, 200, 2):
        peer.send(peer.call(stream))
        await settle()
    assert peer.transport.writes == 2 + 100
    assert len(peer.connection._streams._blocks._known) == 1


# The fields of a request, its messages as sent, and how its caller hears that it is refused.
REFUSED = {
    "too long": ((), framed(b"x" * 101), "8", "larger than max (101 vs. 100)"),
    "too long in pieces": ((), b"\0\0\0\1\0", "8", "larger than max (256 vs. 100)"),
    "too long once decompressed": (("gzip",), framed(gzip.compress(bytes(5000)), 1), "8", "decompressed"),
    "compressed without a word of how": ((), framed(gzip.compress(b"a"), 1), "13", "grpc-encoding"),
    "not what grpc-encoding says": (("deflate",), framed(b"garbage", 1), "13", "not deflate"),
    "an encoding that is not here": (("snappy",), framed(b"a"), "12", "identity, deflate, gzip"),
    "an unknown flag": ((), framed(b"a", 2), "13", "neither 0 nor 1"),
    "no message": ((), b"", "12", "there was none"),
    "two messages": ((), framed(b"a") + framed(b"b"), "12", "more"),
    "half a message": ((), framed(b"abc")[:-1], "13", "too early"),
    "half a prefix": ((), b"\0\0", "13", "too early"),
}


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("case", REFUSED)
async def test_requests_that_are_no_message_are_refused_in_words(case, split):
    encoding, sent, code, said = REFUSED[case]
    peer = Peer(limit=100)
    fields = [("grpc-encoding", each) for each in encoding]
    if split:
        peer.send(peer.head(1, *fields), *(data(1, sent[n : n + 1]) for n in range(len(sent))), data(1, b"", end=True))
    else:
        peer.send(peer.head(1, *fields), data(1, sent, end=True))
    fields, answer = await peer.answered(1)
    assert (fields["grpc-status"], said in fields["grpc-message"], answer) == (code, True, b"")


async def test_a_client_that_still_sends_is_stopped_and_what_it_had_sent_is_ignored():
    peer = Peer(limit=100)
    peer.send(peer.head(1), data(1, b"\0\0\1\0\0"))
    await settle()
    came = peer.frames()
    assert [each.kind for each in came] == [frames.HEADERS, frames.RST_STREAM]
    assert (came[0].flags, came[1].code) == (WHOLE, frames.NO_ERROR)
    peer.send(data(1, b"more"), data(1, b"and more", end=True), peer.head(1, end=True))
    assert not peer.frames()


async def test_what_comes_for_a_call_whose_refusal_is_not_read_yet_changes_nothing():
    held = Held()
    peer = Peer(Echo=held, limit=100)
    peer.connection.pause_writing()
    peer.send(peer.head(1), data(1, framed(bytes(200))[:50]))
    peer.send(data(1, framed(bytes(200))[50:], end=True))
    await settle()
    peer.connection.resume_writing()
    fields, _ = await peer.answered(1)
    assert (fields["grpc-status"], held.begun) == ("8", 0)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_compressed_messages_are_read(encoding):
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    peer = Peer()
    peer.send(peer.head(1, ("grpc-encoding", encoding)), data(1, framed(pack(b"ping" * 1000), 1), end=True))
    _, answer = await peer.answered(1)
    assert answer == framed(b"ping" * 1000)


NOT_GRPC = {
    "GET": ([(":method", "GET")], "405"),
    "no content-type of gRPC": ([("content-type", "application/json")], "415"),
    "gRPC for browsers": ([("content-type", "application/grpc-web")], "415"),
}


@pytest.mark.parametrize("case", NOT_GRPC)
async def test_what_is_not_grpc_is_answered_as_http(case):
    changed, status = NOT_GRPC[case]
    peer = Peer()
    peer.send(peer.head(1, *changed, end=True))
    fields, _ = await peer.answered(1)
    assert fields[":status"] == status
    assert "grpc-status" not in fields


@pytest.mark.parametrize("content_type", ["application/grpc+proto", "application/grpc;charset=utf-8"])
async def test_grpc_s_content_types_are_taken(content_type):
    peer = Peer()
    peer.send(peer.call(1, b"ping", ("content-type", content_type)))
    fields, _ = await peer.answered(1)
    assert fields["grpc-status"] == "0"


@pytest.mark.parametrize("value", ["1", "S", "123456789S", "-1S", "1.5S", ""])
async def test_a_timeout_that_cannot_be_read_is_the_caller_s_mistake(value):
    peer = Peer()
    peer.send(peer.call(1, b"ping", ("grpc-timeout", value)))
    fields, _ = await peer.answered(1)
    assert (fields["grpc-status"], "grpc-timeout" in fields["grpc-message"]) == ("3", True)


async def test_metadata_past_the_limit_is_refused_and_the_next_call_is_not():
    peer = Peer()
    peer.send(peer.call(1, b"ping", ("x-long", "y" * h2.HEADER_LIST)), peer.call(3))
    await settle()
    came = peer.frames()
    assert peer.outcome(1, came)[0]["grpc-status"] == "8"
    fields, _ = peer.outcome(3, [each for each in came if each.stream == 3])
    assert fields["grpc-status"] == "0"


class Held:
    """A handler that waits until it is let go, and notes how it ended."""

    def __init__(self) -> None:
        self.go, self.left = asyncio.Event(), asyncio.Event()
        self.begun = self.cancelled = 0

    async def __call__(self, call) -> None:
        self.begun += 1
        try:
            await self.go.wait()
            call.answer(b"")
        except asyncio.CancelledError:
            self.cancelled += 1
            self.left.set()
            raise


async def test_a_deadline_ends_the_call_for_both_sides():
    held = Held()
    peer = Peer(Echo=held)
    peer.send(peer.call(1, b"ping", ("grpc-timeout", "20m")))
    async with asyncio.timeout(60):
        await held.left.wait()
    fields, _ = await peer.answered(1)
    assert fields["grpc-status"] == "4"


@pytest.mark.parametrize("how", ["reset", "gone"])
async def test_a_caller_that_leaves_cancels_its_call_and_only_that(how):
    held = Held()
    peer = Peer(Echo=held)
    peer.send(peer.call(1), peer.call(3))
    await settle()
    assert held.begun == 2
    if how == "reset":
        peer.send(frames.reset(1, frames.CANCEL))
    else:
        peer.connection.connection_lost(None)
    await settle()
    assert held.cancelled == (1 if how == "reset" else 2)
    held.go.set()
    await settle()
    answered = {each.stream for each in peer.frames()}
    assert answered == ({3} if how == "reset" else set())
    assert (how == "gone") == (not peer.open)


async def test_a_handler_that_goes_on_without_its_caller_writes_to_nobody():
    held = Held()

    async def stubborn(call) -> None:
        try:
            await held(call)
        except asyncio.CancelledError:
            await call.write(b"still here")

    peer = Peer(Chat=stubborn)
    peer.send(peer.head(1, (":path", "/test/Chat")))
    await settle()
    peer.send(frames.reset(1, frames.CANCEL))
    await settle()
    assert held.cancelled == 1
    assert not peer.frames()


async def test_a_call_that_is_reset_at_once_never_begins():
    held = Held()
    peer = Peer(Echo=held)
    peer.send(peer.call(1), frames.reset(1, frames.CANCEL))
    await settle()
    assert held.begun == 0


async def failing(call) -> None:
    raise RuntimeError("secret")


async def refusing(call) -> None:
    call.initial_metadata = [("x-lost", "1")]
    call.refuse(StatusCode.ABORTED, "50 % of \u00fc\n", [("retry-after", "3")])


async def giving_up(call) -> None:
    raise asyncio.CancelledError


async def test_whatever_a_handler_does_its_call_ends():
    for handler, code, message in (
        (failing, "13", "the server failed"),
        (refusing, "10", "50 %25 of %C3%BC%0A"),
        (giving_up, "1", "the call was cancelled"),
    ):
        peer = Peer(Echo=handler)
        peer.send(peer.call(1))
        fields, _ = await peer.answered(1)
        assert fields["grpc-status"] == code
        assert fields["grpc-message"].startswith(message)
        assert "secret" not in str(fields)
        assert "x-lost" not in fields
        assert not peer.connection._streams._calls


def test_messages_are_percent_encoded_and_bounded():
    assert percent_encoded("a b~%") == "a b~%25"
    assert len(percent_encoded("\u00fc" * 10_000)) <= 6144


async def test_metadata_goes_both_ways():
    seen = {}

    async def handler(call) -> None:
        seen.update(call.headers)
        call.initial_metadata, call.trailing_metadata = [("x-begin", "1")], [("x-end", "2")]
        call.answer(b"")

    peer = Peer(Echo=handler)
    more = [("x-a", "1"), ("x-blob-bin", "AAEC"), ("grpc-accept-encoding", "gzip")]
    extra = peer.encoder.encode([*REQUEST, *more, ("x-a", "2")])
    peer.send(frame(frames.HEADERS, frames.END_HEADERS, 1, extra), data(1, framed(b""), end=True))
    await settle()
    first, _, last = peer.frames()
    assert peer.fields(first)["x-begin"] == "1"
    assert peer.fields(last) == {"grpc-status": "0", "x-end": "2"}
    assert seen == {"user-agent": "grpc-python/1.76.0", "x-a": "1, 2"}


def test_only_what_grpc_can_carry_of_a_model_s_headers_goes_out():
    headers = {
        "X-A": " 1 ",
        "bad key": "2",
        "te": "3",
        "Connection": "close",
        "grpc-x": "4",
        "b-bin": "5",
        "x-b": "\u00e4",
    }
    assert metadata_of(headers) == [("x-a", "1")]


async def test_a_large_answer_follows_its_client_s_windows_and_frames():
    size = 3 * 1024 * 1024
    peer = Peer()

    async def large(call) -> None:
        call.answer(bytes(size))

    peer = Peer(Echo=large)
    peer.send(peer.call(1))
    await settle()
    got = 0
    for _ in range(10_000):
        came = [each for each in peer.frames() if each.kind == frames.DATA]
        step = sum(len(each.payload) for each in came)
        assert step <= 65535
        assert all(len(each.payload) <= 16384 for each in came)
        if not step:
            break
        got += step
        peer.send(frames.window_update(0, step), frames.window_update(1, step))
    assert got == size + 5


async def test_a_network_that_fills_and_empties_within_a_write_gets_each_byte_once():
    async def large(call) -> None:
        call.answer(bytes(range(256)) * 2000)

    peer = Peer(Echo=large)
    peer.send(frames.settings([(4, 10**7), (5, 10**6)]), frames.window_update(0, 10**7))
    write = peer.transport.write

    def written(sent: bytes) -> None:
        write(sent)
        peer.connection.pause_writing()
        peer.connection.resume_writing()

    peer.transport.write = written  # type: ignore[method-assign]
    peer.send(peer.call(1), peer.call(3))
    await settle()
    came = peer.frames()
    for stream in (1, 3):
        assert peer.outcome(stream, [each for each in came if each.stream == stream])[1] == framed(
            bytes(range(256)) * 2000
        )


async def test_settings_are_acknowledged_before_use_is_made_of_them():
    async def large(call) -> None:
        call.answer(bytes(100_000))

    peer = Peer(Echo=large)
    peer.send(frames.window_update(0, 10**6), peer.call(1))
    await settle()
    peer.frames()
    # A window that grows, and shrinks again before the client has heard of either.
    peer.send(frames.settings([(4, 80_000)]), frames.settings([(4, 70_000)]))
    came = [(each.kind, len(each.payload)) for each in peer.frames()]
    assert came == [(frames.SETTINGS, 0), (frames.DATA, 80_000 - 65_535), (frames.SETTINGS, 0)]


async def test_small_answers_pass_large_ones_and_windows_are_shared_out():
    async def either(call) -> None:
        call.answer(bytes(100_000) if call.message == b"large" else b"small")

    peer = Peer(Echo=either)
    # The connection has room, the streams have not.
    peer.send(frames.window_update(0, 10**6))
    peer.send(peer.call(1, b"large"), peer.call(3, b"large"), peer.call(5, b"small"))
    await settle()
    came = [(each.stream, len(each.payload)) for each in peer.frames() if each.kind == frames.DATA]
    assert (5, 10) in came
    assert [stream for stream, _ in came if stream != 5][:4] == [1, 1, 1, 1] or {1, 3} <= {s for s, _ in came}
    peer.send(frames.window_update(1, 10**6), frames.window_update(3, 10**6))
    ended = [each.stream for each in peer.frames() if each.kind == frames.HEADERS]
    assert sorted(ended) == [1, 3]


async def test_an_answer_past_the_limit_is_refused():
    async def large(call) -> None:
        call.answer(bytes(101))

    peer = Peer(Echo=large, limit=100)
    peer.send(peer.call(1))
    fields, answer = await peer.answered(1)
    # The handlers that serve models make it RESOURCE_EXHAUSTED; one that does not know the error has failed.
    assert (fields["grpc-status"], answer) == ("13", b"")


async def test_a_large_request_is_asked_for_as_its_server_has_room():
    # Two of these fill what one connection may hold beyond the windows.
    limit = 40 * 1024 * 1024
    size = limit - 5
    held = Held()
    peer = Peer(Echo=held, limit=limit)
    prefix = b"\0" + size.to_bytes(4, "big")
    for stream in (1, 3, 5):
        peer.send(peer.head(stream), data(stream, prefix))
    asked = {f.stream: f.code for f in peer.frames() if f.kind == frames.WINDOW_UPDATE}
    assert asked == {1: size + 5 - h2.WINDOW, 3: size + 5 - h2.WINDOW}
    left = size
    while left:
        peer.send(data(1, bytes(min(left, h2.FRAME)), end=left <= h2.FRAME))
        left -= min(left, h2.FRAME)
    await settle()
    assert held.begun == 1
    peer.frames()
    held.go.set()
    await settle()
    # The first has ended, so the third may go on.
    assert {f.stream for f in peer.frames() if f.kind == frames.WINDOW_UPDATE and f.stream} == {5}


async def test_a_stream_is_asked_for_more_only_as_it_is_read():
    go = asyncio.Event()

    async def slow(call) -> None:
        await go.wait()
        while await call.read() is not None:
            pass

    peer = Peer(Chat=slow)
    peer.send(peer.head(1, (":path", "/test/Chat")))
    message = framed(bytes(100_000))
    peer.send(*(data(1, message) for _ in range(10)))
    await settle()
    assert not [f for f in peer.frames() if f.kind == frames.WINDOW_UPDATE]
    go.set()
    await settle()
    given = sum(f.code for f in peer.frames() if f.kind == frames.WINDOW_UPDATE and f.stream == 1)
    assert 500_000 <= given <= 10 * len(message)


async def test_a_stream_gives_back_the_room_of_what_was_read():
    read = 0

    async def listen(call) -> None:
        nonlocal read
        while (message := await call.read()) is not None:
            read += len(message)

    peer = Peer(Chat=listen)
    peer.send(peer.head(1, (":path", "/test/Chat")))
    message = framed(bytes(3 * 1024 * 1024))
    # More than a connection may hold beyond its windows, but never more than one of them at a time.
    for _ in range(40):
        peer.send(data(1, message[:1000]))
        for begin in range(1000, len(message), h2.FRAME):
            peer.send(data(1, message[begin : begin + h2.FRAME]))
        await settle()
    assert read == 40 * 3 * 1024 * 1024
    assert not [each for each in peer.frames() if each.kind == frames.RST_STREAM]


async def test_a_compressed_stream_is_given_as_much_room_as_it_took():
    async def listen(call) -> None:
        while await call.read() is not None:
            pass

    peer = Peer(Chat=listen)
    peer.send(peer.head(1, (":path", "/test/Chat"), ("grpc-encoding", "gzip")))
    # Random, and zeros: what takes some room on its way, and far more as a message.
    message = framed(gzip.compress(random.Random(1).randbytes(20_000) + bytes(2_000_000)), flag=1)
    for _ in range(60):
        peer.send(data(1, message))
        await settle()
    given = sum(each.code for each in peer.frames() if (each.kind, each.stream) == (frames.WINDOW_UPDATE, 1))
    assert h2.WINDOW // 2 <= given <= 60 * len(message)


async def test_a_writer_waits_for_its_client():
    wrote = 0

    async def flood(call) -> None:
        nonlocal wrote
        while True:
            await call.write(bytes(10_000))
            wrote += 1

    peer = Peer(Chat=flood)
    peer.send(peer.head(1, (":path", "/test/Chat")))
    await settle()
    assert wrote == 65535 // 10_005
    peer.send(frames.window_update(0, 10_005), frames.window_update(1, 10_005))
    await settle()
    assert wrote == 65535 // 10_005 + 1
    # The network is full, although the client's windows are not.
    peer.connection.pause_writing()
    peer.send(frames.window_update(0, 10**6), frames.window_update(1, 10**6))
    await settle()
    assert wrote == 65535 // 10_005 + 1
    peer.connection.resume_writing()
    await settle()
    assert wrote > 50
    peer.connection.connection_lost(None)


ATTACKS = {
    "rapid reset": (lambda p: [p.call(n) + frames.reset(n, 8) for n in range(1, 20_000, 2)], "streams reset"),
    "streams that the server must reset": (
        lambda p: [p.head(n, ("X", "1")) for n in range(1, 20_000, 2)],
        "streams reset",
    ),
    "pings": (lambda p: [frame(frames.PING, 0, 0, bytes(8))] * 20_000, "frames that carry no call"),
    "settings": (lambda p: [frames.settings([(4, 1)])] * 20_000, "frames that carry no call"),
    "priorities": (lambda p: [frame(frames.PRIORITY, 0, 1, bytes(5))] * 20_000, "frames that carry no call"),
    "empty DATA": (lambda p: [p.head(1), *[data(1, b"")] * 20_000], "frames that carry no call"),
    "unknown frames": (lambda p: [frame(77, 0, 0)] * 20_000, "frames that carry no call"),
}


@pytest.mark.parametrize("case", ATTACKS)
async def test_floods_end_the_connection(case):
    attack, said = ATTACKS[case]
    peer = Peer()
    sent = attack(peer)
    for start in range(0, len(sent), 50):
        peer.send(*sent[start : start + 50])
    (goaway,) = (each for each in peer.frames() if each.kind == frames.GOAWAY)
    assert goaway.code == frames.ENHANCE_YOUR_CALM
    assert said in goaway.payload[8:].decode()


async def test_a_client_that_does_not_read_is_not_answered_without_end():
    peer = Peer()
    peer.connection.pause_writing()
    for _ in range(2000):
        peer.send(frame(frames.DATA, 0, 1) if peer.transport.aborted else padded_data(peer))
    assert peer.transport.aborted
    assert len(peer.transport.written) < 100_000


def padded_data(peer: Peer) -> bytes:
    """DATA whose padding the server gives back at once, with a frame."""
    opened = b"" if 1 in peer.connection._streams._calls else peer.head(1)
    return opened + frame(frames.DATA, frames.PADDED, 1, b"\1" + b"\0")


async def ended(*peers: Peer) -> None:
    for peer in peers:
        while True:
            if peer.transport.aborted:
                break
            await asyncio.sleep(0.01)


async def test_a_client_that_says_nothing_is_asked_and_then_given_up(monkeypatch):
    monkeypatch.setattr(connections, "_LOOK", 0.05)
    monkeypatch.setattr(connections, "_BEGIN", 0.05)
    silent, speaking = Peer(begin=False), Peer()
    async with asyncio.timeout(60):
        await ended(silent, speaking)
    pings = [each for each in speaking.frames() if each.kind == frames.PING]
    assert [each.payload for each in pings] == [b"alive?  "]
    assert not [each for each in silent.frames() if each.kind == frames.PING]


async def test_draining_takes_what_was_on_its_way_and_closes_behind_the_last_call():
    held = Held()
    peer = Peer(Echo=held)
    peer.send(peer.call(1))
    await settle()
    peer.connection.drain()
    goaway, ping = peer.frames()
    assert (goaway.kind, goaway.payload[:8]) == (frames.GOAWAY, b"\x7f\xff\xff\xff\0\0\0\0")
    # Sent before the client has heard.
    peer.send(peer.call(3), frame(frames.PING, frames.ACK, 0, ping.payload))
    (last,) = peer.frames()
    assert (last.kind, last.payload[:4]) == (frames.GOAWAY, b"\0\0\0\3")
    peer.send(peer.call(5))
    assert not peer.transport.closed
    held.go.set()
    await settle()
    assert {each.stream for each in peer.frames()} == {1, 3}
    assert peer.transport.closed


async def test_an_idle_stream_hears_of_a_drain():
    async def chat(call) -> None:
        while await call.read() is not None:
            pass
        if call.stopping:
            raise CallRefused(StatusCode.UNAVAILABLE, "stopping")

    peer = Peer(Chat=chat)
    peer.send(peer.head(1, (":path", "/test/Chat")))
    await settle()
    peer.connection.drain()
    fields, _ = await peer.answered(1)
    assert fields["grpc-status"] == "14"


async def test_what_outlives_the_grace_period_is_unavailable():
    held = Held()
    peer = Peer(Echo=held)
    peer.send(peer.call(1))
    await settle()
    peer.connection.cut()
    fields, _ = await peer.answered(1)
    assert (fields["grpc-status"], held.cancelled, peer.transport.closed) == ("14", 1, True)


NAMES = st.sampled_from([":path", ":method", "x-a", "x-b", "te", "content-type"])
FIELDS = st.lists(st.tuples(NAMES, st.text("abc\u00fc", max_size=40)), min_size=1, max_size=6)


@settings(PATIENT, max_examples=200)
@given(st.lists(st.tuples(FIELDS, st.booleans(), st.integers(0, 3)), max_size=20))
def test_remembered_blocks_mean_what_they_would_mean_decoded_anew(lists):
    from hpack import Decoder, Encoder

    encoder, decoder, blocks = Encoder(), Decoder(), HeaderBlocks()
    for fields, huffman, resized in lists:
        if resized == 3:
            encoder.header_table_size = 64 if encoder.header_table_size > 64 else 4096
        block = encoder.encode(fields, huffman=huffman)
        fresh = Head([(bytes(n), bytes(v)) for n, v in decoder.decode(block, raw=True)])
        known = blocks.head(block)
        for slot in Head.__slots__:
            assert getattr(known, slot) == getattr(fresh, slot)


@settings(PATIENT)
@given(
    st.lists(st.tuples(st.from_regex("[a-z]{1,300}", fullmatch=True), st.from_regex("[a-z ]{0,300}", fullmatch=True)))
)
def test_our_blocks_are_decoded_by_others(pairs):
    from hpack import Decoder

    assert list(Decoder(10**6).decode(encoded(pairs))) == pairs


def whole_call(stream: int) -> bytes:
    """A good call, without a state of the client's."""
    block = encoded(REQUEST)
    return frame(frames.HEADERS, frames.END_HEADERS, stream, block) + data(stream, framed(b"ping"), end=True)


RAW = st.one_of(
    st.binary(max_size=40),
    st.builds(
        frame,
        st.integers(0, 11),
        st.sampled_from([0, 1, 4, 5, 8, 9, 0x20, 0x2D, 255]),
        st.sampled_from([0, 1, 2, 3, 5, 7, 2**31 - 1]),
        st.binary(max_size=60),
    ),
    st.sampled_from([1, 3, 5]).map(whole_call),
)


@settings(PATIENT, max_examples=400)
@given(st.lists(RAW, max_size=12), st.integers(1, 50))
def test_no_bytes_hang_or_break_the_server(pieces, step):
    async def whole() -> None:
        loop = asyncio.get_running_loop()
        wrong: list[object] = []
        loop.set_exception_handler(lambda _, context: wrong.append(context))
        peer = Peer()
        sent = b"".join(pieces)
        for start in range(0, len(sent), step):
            peer.send(sent[start : start + step])
            await asyncio.sleep(0)
        await settle()
        came = peer.frames()
        goaways = [each.code for each in came if each.kind == frames.GOAWAY]
        assert len(goaways) <= 1
        assert all(0 < code <= 11 for code in goaways)
        assert bool(goaways) == peer.transport.eof
        if not goaways and not peer.connection._reader._held and not peer.connection._reader._missing:
            peer.send(frame(frames.PING, 0, 0, b"the end?"))
            assert peer.frames()[-1].payload == b"the end?" or peer.transport.eof
        peer.connection.connection_lost(None)
        await settle()
        assert not wrong
        assert not peer.open
        assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    asyncio.run(whole())


def test_an_allowance_refills():
    from modelwright.server.grpc.wire.allowance import Allowance

    allowance = Allowance(2, 1, "of them")
    allowance.spend(100.0)
    allowance.spend(100.0)
    with pytest.raises(ConnectionFailed, match="too many of them"):
        allowance.spend(100.5)
    allowance.spend(101.6)
