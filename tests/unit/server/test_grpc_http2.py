"""What HTTP/2 asks of a server, case by case; the section of RFC 9113 (or 7541) is in each case's id."""

from __future__ import annotations

import pytest
from modelwright.server.grpc.wire import frames, settings
from modelwright.server.grpc.wire.frames import frame

from tests.unit.server.h2_peer import REQUEST, Peer, framed, settle

PING8 = b"12345678"
DATA = frame(frames.DATA, frames.END_STREAM, 1, framed(b"ping"))


def head(peer: Peer, stream: int = 1, **how) -> bytes:
    return peer.head(stream, **how)


def block(peer: Peer) -> bytes:
    return peer.encoder.encode(REQUEST)


def continued(peer: Peer, between: bytes) -> bytes:
    whole = block(peer)
    return (
        frame(frames.HEADERS, 0, 1, whole[:9])
        + between
        + frame(frames.CONTINUATION, frames.END_HEADERS, 1, whole[9:])
        + DATA
    )


def padded(kind: int, flags: int, content: bytes, padding: int = 7) -> bytes:
    return frame(kind, flags | frames.PADDED, 1, bytes([padding]) + content + bytes(padding))


# What a client sends after its preface and settings, and the code of the GOAWAY that it gets.
CONNECTION_ERRORS = {
    "4.2 a frame longer than SETTINGS_MAX_FRAME_SIZE": (
        lambda p: frames.HEAD.pack(settings.FRAME + 1 >> 8, 1, frames.DATA, 0, 1),
        frames.FRAME_SIZE_ERROR,
    ),
    "4.3 a header block that cannot be decoded": (
        lambda p: frame(frames.HEADERS, frames.END_HEADERS, 1, b"\xff\xff\xff\xff\xff"),
        frames.COMPRESSION_ERROR,
    ),
    "RFC 7541 2.3.3 an index beyond the table": (
        lambda p: frame(frames.HEADERS, frames.END_HEADERS, 1, b"\xc5"),
        frames.COMPRESSION_ERROR,
    ),
    "RFC 7541 4.2 a table larger than allowed": (
        lambda p: frame(frames.HEADERS, frames.END_HEADERS, 1, b"\x3f\xe1\xff\x03" + block(p)),
        frames.COMPRESSION_ERROR,
    ),
    "RFC 7541 4.2 a table's size behind a field": (
        lambda p: frame(frames.HEADERS, frames.END_HEADERS, 1, b"\x83\x20"),
        frames.COMPRESSION_ERROR,
    ),
    "4.3 a header block with another frame in it": (
        lambda p: continued(p, frame(frames.PING, 0, 0, PING8)),
        frames.PROTOCOL_ERROR,
    ),
    "4.3 a header block with another stream's in it": (
        lambda p: frame(frames.HEADERS, 0, 1, b"\x83") + frame(frames.HEADERS, frames.END_HEADERS, 3, b"\x83"),
        frames.PROTOCOL_ERROR,
    ),
    "5.1 DATA on an idle stream": (lambda p: frame(frames.DATA, 0, 1, b"x"), frames.PROTOCOL_ERROR),
    "5.1 RST_STREAM on an idle stream": (lambda p: frames.reset(1, 8), frames.PROTOCOL_ERROR),
    "5.1 WINDOW_UPDATE on an idle stream": (lambda p: frames.window_update(1, 8), frames.PROTOCOL_ERROR),
    "5.1.1 a stream of an even number": (lambda p: head(p, 2), frames.PROTOCOL_ERROR),
    "5.1 HEADERS on a closed stream": (lambda p: p.call(3) + frames.reset(3, 8) + head(p, 3), frames.STREAM_CLOSED),
    "5.1.1 a stream below one that was opened": (lambda p: p.call(5) + head(p, 3), frames.STREAM_CLOSED),
    "6.1 DATA on stream 0": (lambda p: frame(frames.DATA, 0, 0, b"x"), frames.PROTOCOL_ERROR),
    "6.1 DATA with more padding than payload": (
        lambda p: head(p) + frame(frames.DATA, frames.PADDED, 1, b"\x09abc"),
        frames.PROTOCOL_ERROR,
    ),
    "6.1 padded DATA of nothing": (lambda p: head(p) + frame(frames.DATA, frames.PADDED, 1), frames.FRAME_SIZE_ERROR),
    "6.2 HEADERS on stream 0": (lambda p: head(p, 0), frames.PROTOCOL_ERROR),
    "6.2 HEADERS with more padding than payload": (
        lambda p: frame(frames.HEADERS, frames.END_HEADERS | frames.PADDED, 1, b"\x09abc"),
        frames.PROTOCOL_ERROR,
    ),
    "6.2 HEADERS too short for their priority": (
        lambda p: frame(frames.HEADERS, frames.END_HEADERS | frames.WITH_PRIORITY, 1, b"\0\0\0"),
        frames.FRAME_SIZE_ERROR,
    ),
    "6.3 PRIORITY on stream 0": (lambda p: frame(frames.PRIORITY, 0, 0, bytes(5)), frames.PROTOCOL_ERROR),
    "6.3 PRIORITY of another length": (lambda p: frame(frames.PRIORITY, 0, 1, bytes(4)), frames.FRAME_SIZE_ERROR),
    "6.4 RST_STREAM on stream 0": (lambda p: frames.reset(0, 8), frames.PROTOCOL_ERROR),
    "6.4 RST_STREAM of another length": (
        lambda p: head(p) + frame(frames.RST_STREAM, 0, 1, b"\0\0\0"),
        frames.FRAME_SIZE_ERROR,
    ),
    "6.5 SETTINGS on a stream": (lambda p: frame(frames.SETTINGS, 0, 1), frames.PROTOCOL_ERROR),
    "6.5 SETTINGS of another length": (lambda p: frame(frames.SETTINGS, 0, 0, b"abc"), frames.FRAME_SIZE_ERROR),
    "6.5 an acknowledgement with content": (
        lambda p: frame(frames.SETTINGS, frames.ACK, 0, bytes(6)),
        frames.FRAME_SIZE_ERROR,
    ),
    "6.5.2 SETTINGS_ENABLE_PUSH of 2": (lambda p: frames.settings([(2, 2)]), frames.PROTOCOL_ERROR),
    "6.5.2 SETTINGS_INITIAL_WINDOW_SIZE of 2^31": (
        lambda p: frames.settings([(4, 2**31)]),
        frames.FLOW_CONTROL_ERROR,
    ),
    "6.5.2 SETTINGS_MAX_FRAME_SIZE of 16383": (lambda p: frames.settings([(5, 16383)]), frames.PROTOCOL_ERROR),
    "6.5.2 SETTINGS_MAX_FRAME_SIZE of 2^24": (lambda p: frames.settings([(5, 2**24)]), frames.PROTOCOL_ERROR),
    "6.6 PUSH_PROMISE": (lambda p: frame(frames.PUSH_PROMISE, 4, 1, bytes(4)), frames.PROTOCOL_ERROR),
    "6.7 PING on a stream": (lambda p: frame(frames.PING, 0, 1, PING8), frames.PROTOCOL_ERROR),
    "6.7 PING of another length": (lambda p: frame(frames.PING, 0, 0, b"1234567"), frames.FRAME_SIZE_ERROR),
    "6.8 GOAWAY on a stream": (lambda p: frame(frames.GOAWAY, 0, 1, bytes(8)), frames.PROTOCOL_ERROR),
    "6.8 GOAWAY that is too short": (lambda p: frame(frames.GOAWAY, 0, 0, bytes(7)), frames.FRAME_SIZE_ERROR),
    "6.9 WINDOW_UPDATE of nothing on the connection": (lambda p: frames.window_update(0, 0), frames.PROTOCOL_ERROR),
    "6.9 WINDOW_UPDATE of another length": (
        lambda p: frame(frames.WINDOW_UPDATE, 0, 0, b"\0\0\1"),
        frames.FRAME_SIZE_ERROR,
    ),
    "6.9.1 a connection's window above 2^31-1": (
        lambda p: frames.window_update(0, 2**31 - 1),
        frames.FLOW_CONTROL_ERROR,
    ),
    "6.9.2 settings that widen a stream's window above 2^31-1": (
        lambda p: head(p) + frames.window_update(1, 2**31 - 1 - 65535) + frames.settings([(4, 70000)]),
        frames.FLOW_CONTROL_ERROR,
    ),
    "6.10 CONTINUATION of nothing": (
        lambda p: frame(frames.CONTINUATION, frames.END_HEADERS, 1, b"\x83"),
        frames.PROTOCOL_ERROR,
    ),
    "6.10 CONTINUATION behind the end of its block": (
        lambda p: head(p) + frame(frames.CONTINUATION, frames.END_HEADERS, 1, b"\x83"),
        frames.PROTOCOL_ERROR,
    ),
    "10.5.1 a header block that is far too long": (
        lambda p: frame(frames.HEADERS, frames.END_HEADERS, 1, bytes(100_000)),
        frames.ENHANCE_YOUR_CALM,
    ),
    "10.5.1 a header list that is far too long": (
        lambda p: frame(frames.HEADERS, frames.END_HEADERS, 1, p.encoder.encode([("x", "y" * 4000)]) + b"\xbe" * 20),
        frames.ENHANCE_YOUR_CALM,
    ),
    "10.5 a header block in frames without end": (
        lambda p: frame(frames.HEADERS, 0, 1, b"\x83") + frame(frames.CONTINUATION, 0, 1) * 100,
        frames.ENHANCE_YOUR_CALM,
    ),
}


@pytest.mark.parametrize("case", CONNECTION_ERRORS)
async def test_what_breaks_the_connection_ends_it_with_its_code(case):
    sent, code = CONNECTION_ERRORS[case]
    peer = Peer()
    peer.send(sent(peer))
    assert peer.codes(frames.GOAWAY) == [code]
    assert peer.transport.eof
    # Nothing is taken any more, and nothing is left behind.
    peer.send(peer.call(99))
    await settle()
    assert not peer.frames()


FIRST = {
    "3.4 no preface": (b"GET / HTTP/1.1\r\nHost: server\r\n\r\n", frames.PROTOCOL_ERROR),
    "3.4 a preface without settings": (frames.PREFACE + frame(frames.PING, 0, 0, PING8), frames.PROTOCOL_ERROR),
    "3.4 an acknowledgement in place of settings": (
        frames.PREFACE + frame(frames.SETTINGS, frames.ACK, 0),
        frames.PROTOCOL_ERROR,
    ),
}


@pytest.mark.parametrize("case", FIRST)
async def test_the_first_words_must_be_right(case):
    sent, code = FIRST[case]
    peer = Peer(begin=False)
    assert [each.kind for each in peer.frames()] == [frames.SETTINGS, frames.WINDOW_UPDATE]
    peer.send(sent)
    assert peer.codes(frames.GOAWAY) == [code]


# The stream 1 is reset with the code, and the connection goes on.
STREAM_ERRORS = {
    "5.1 DATA on a closed stream": (lambda p: p.call(1) + frames.reset(1, 8) + DATA, frames.STREAM_CLOSED),
    "5.1 DATA on a half-closed stream": (lambda p: p.call(1) + DATA, frames.STREAM_CLOSED),
    "5.1 HEADERS on a half-closed stream": (lambda p: p.call(1) + head(p, end=True), frames.STREAM_CLOSED),
    "6.9 WINDOW_UPDATE of nothing": (lambda p: head(p) + frames.window_update(1, 0), frames.PROTOCOL_ERROR),
    "6.9.1 a window above 2^31-1": (lambda p: head(p) + frames.window_update(1, 2**31 - 1), frames.FLOW_CONTROL_ERROR),
    "6.9.1 more DATA than the window": (
        lambda p: head(p) + b"".join(frame(frames.DATA, 0, 1, _chunk(n)) for n in range(80)),
        frames.FLOW_CONTROL_ERROR,
    ),
    "8.1 trailers that do not end the stream": (lambda p: head(p) + head(p), frames.PROTOCOL_ERROR),
    "8.1 trailers with pseudo-header fields": (lambda p: head(p) + head(p, end=True), frames.PROTOCOL_ERROR),
    "8.1.1 less DATA than content-length": (
        lambda p: p.head(1, ("content-length", "99")) + DATA,
        frames.PROTOCOL_ERROR,
    ),
    "8.1.1 no DATA where content-length has some": (
        lambda p: p.head(1, ("content-length", "9"), end=True),
        frames.PROTOCOL_ERROR,
    ),
    "8.1.1 a content-length that is no number": (
        lambda p: p.head(1, ("content-length", "-1")) + DATA,
        frames.PROTOCOL_ERROR,
    ),
    "8.2 an upper-case field name": (lambda p: p.head(1, ("X-Upper", "1")), frames.PROTOCOL_ERROR),
    "8.2.1 a line break in a value": (lambda p: p.head(1, ("x", "a\r\nb: c")), frames.PROTOCOL_ERROR),
    "8.2.1 a space in a name": (lambda p: p.head(1, ("x y", "1")), frames.PROTOCOL_ERROR),
    "8.2.2 a connection's field": (lambda p: p.head(1, ("connection", "close")), frames.PROTOCOL_ERROR),
    "8.2.2 te other than trailers": (lambda p: p.head(1, ("te", "gzip")), frames.PROTOCOL_ERROR),
    "8.3 an unknown pseudo-header field": (
        lambda p: frame(frames.HEADERS, 5, 1, p.encoder.encode([(":nobody", "1"), *REQUEST])),
        frames.PROTOCOL_ERROR,
    ),
    "8.3 a pseudo-header field behind others": (
        lambda p: frame(frames.HEADERS, 5, 1, p.encoder.encode([*REQUEST[1:], REQUEST[0]])),
        frames.PROTOCOL_ERROR,
    ),
    "8.3 a response's pseudo-header field": (
        lambda p: frame(frames.HEADERS, 5, 1, p.encoder.encode([(":status", "200"), *REQUEST])),
        frames.PROTOCOL_ERROR,
    ),
    "8.3.1 a pseudo-header field twice": (
        lambda p: frame(frames.HEADERS, 5, 1, p.encoder.encode([REQUEST[0], *REQUEST])),
        frames.PROTOCOL_ERROR,
    ),
    "8.3.1 no :method": (lambda p: p.head(1, without=":method"), frames.PROTOCOL_ERROR),
    "8.3.1 no :scheme": (lambda p: p.head(1, without=":scheme"), frames.PROTOCOL_ERROR),
    "8.3.1 no :path": (lambda p: p.head(1, without=":path"), frames.PROTOCOL_ERROR),
    "8.3.1 an empty :path": (lambda p: p.head(1, (":path", "")), frames.PROTOCOL_ERROR),
}


def _chunk(number: int) -> bytes:
    """16 KiB of one message of 4 MiB, of which 1 MiB may come before the server asks for more."""
    return framed(bytes(16_000))[:16_000] if number else b"\0" + (4 * 1024 * 1024).to_bytes(4, "big") + bytes(15_995)


@pytest.mark.parametrize("case", STREAM_ERRORS)
async def test_what_breaks_a_stream_resets_it_and_leaves_the_others_alone(case):
    sent, code = STREAM_ERRORS[case]
    peer = Peer()
    if code == frames.FLOW_CONTROL_ERROR and "DATA" in case:
        # The server asks for the whole of it as soon as it knows the length; this client was to take none of that.
        peer.connection._streams.grant = lambda call, size: None  # type: ignore[method-assign]
    peer.send(sent(peer))
    came = peer.frames()
    assert [f.code for f in came if f.kind == frames.RST_STREAM and f.stream == 1][:1] == [code]
    assert not [f for f in came if f.kind == frames.GOAWAY]
    peer.send(peer.call(101, b"still there"))
    fields, data = await peer.answered(101)
    assert (fields["grpc-status"], data) == ("0", framed(b"still there"))


# What is allowed, though few clients do it; the call on stream 1 is answered.
ALLOWED = {
    "4.1 an unknown type of frame": lambda p: frame(99, 255, 1, b"abc") + p.call(1),
    "4.1 a reserved bit": lambda p: (whole := p.call(1))[:5] + b"\x80" + whole[6:],
    "5.1 PRIORITY on an idle stream": lambda p: frame(frames.PRIORITY, 0, 7, bytes(5)) + p.call(1),
    "6.1 padded DATA": lambda p: head(p) + padded(frames.DATA, frames.END_STREAM, framed(b"ping")),
    "6.1 DATA in the smallest pieces": lambda p: (
        head(p) + b"".join(frame(frames.DATA, 0, 1, bytes([each])) for each in framed(b"ping")) + frame(0, 1, 1)
    ),
    "6.2 padded HEADERS": lambda p: padded(frames.HEADERS, frames.END_HEADERS, block(p)) + DATA,
    "6.2 HEADERS with a priority": lambda p: (
        frame(frames.HEADERS, frames.END_HEADERS | frames.WITH_PRIORITY, 1, bytes(4) + b"\x10" + block(p)) + DATA
    ),
    "6.5 settings that nobody knows": lambda p: frames.settings([(99, 1), (3, 0), (6, 8192)]) + p.call(1),
    "6.5.2 a header table of nothing": lambda p: frames.settings([(1, 0)]) + p.call(1),
    "6.8 GOAWAY": lambda p: frames.goaway(0, 0) + p.call(1),
    "6.9.2 a window below zero, which opens again": lambda p: (
        p.call(1) + frames.settings([(4, 0)]) + frames.window_update(1, 1000)
    ),
    "6.10 a header block in three frames": lambda p: continued(p, frame(frames.CONTINUATION, 0, 1)),
    "8.1 trailers": lambda p: (
        head(p)
        + frame(frames.DATA, 0, 1, framed(b"ping"))
        + frame(frames.HEADERS, 5, 1, p.encoder.encode([("x-end", "1")]))
    ),
    "8.1.1 a content-length that is right": lambda p: p.head(1, ("content-length", "9")) + DATA,
}


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("case", ALLOWED)
async def test_what_is_allowed_is_answered_however_it_arrives(case, at_once):
    peer = Peer()
    sent = ALLOWED[case](peer)
    for piece in [sent] if at_once else [bytes([each]) for each in sent]:
        peer.send(piece)
    fields, data = await peer.answered(1)
    assert (fields["grpc-status"], data) == ("0", framed(b"ping"))


async def test_6_5_3_settings_are_acknowledged_and_6_7_pings_answered():
    peer = Peer(begin=False)
    peer.frames()
    peer.send(frames.PREFACE, frames.settings([(4, 1000)]), frame(frames.PING, 0, 0, PING8))
    came = [(each.kind, each.flags, each.payload) for each in peer.frames()]
    assert came == [(frames.SETTINGS, frames.ACK, b""), (frames.PING, frames.ACK, PING8)]


async def test_5_1_2_more_streams_than_allowed_are_refused_unprocessed():
    peer = Peer()
    peer.send(*(peer.head(1 + 2 * n) for n in range(settings.STREAMS)))
    assert not peer.frames()
    last = 1 + 2 * settings.STREAMS
    peer.send(peer.call(last))
    assert [(each.stream, each.code) for each in peer.frames()] == [(last, frames.REFUSED_STREAM)]
    peer.send(frames.reset(1, 8), peer.call(last + 2))
    fields, _ = await peer.answered(last + 2)
    assert fields["grpc-status"] == "0"


async def test_rfc_7541_4_2_a_smaller_table_is_acknowledged_in_the_next_block_only():
    peer = Peer()
    peer.send(frames.settings([(1, 100)]), peer.call(1))
    await settle()
    blocks = [each.payload for each in peer.frames() if each.kind == frames.HEADERS]
    assert [block.startswith(b"\x20") for block in blocks] == [True, False]
