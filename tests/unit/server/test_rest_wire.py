"""REST's own HTTP/1.1: requests however they are cut, answers in order, and what no client may make it do."""

from __future__ import annotations

import asyncio
import json
import mmap
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from modelwright.server.limits import too_large
from modelwright.server.rest import bodies, replies
from modelwright.server.rest.wire.heads import JSON
from modelwright.server.rest.wire.request import SMALL, Request
from modelwright.server.workers.guard import CLOSED, IDLE, IN_WORK, Guard

from tests.unit.server.http_peer import Peer, Transport, answers

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
LIMIT = 1 << 20
GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"


async def echo(request: Request) -> None:
    """Answer what was asked; paths say how."""
    if request.path.startswith("/later"):
        await asyncio.sleep(0)
    body = await bodies.read(request, {}, LIMIT)
    told = f"{request.method} {request.path}?{request.query.decode()} ".encode() + body
    await replies.send_answer(request, 200, [JSON], told, close=False)


def post(body: bytes, *headers: bytes, path: bytes = b"/a") -> bytes:
    lines = [b"POST %b HTTP/1.1" % path, b"content-length: %d" % len(body), *headers, b"", b""]
    return b"\r\n".join(lines) + body


def chunked(*chunks: bytes, trailer: bytes = b"") -> bytes:
    told = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in chunks)
    return b"POST /chunked HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n" + told + b"0\r\n" + trailer + b"\r\n"


@dataclass
class Sent:
    """A request and what its answer says."""

    sent: bytes
    told: bytes


BODIES = st.binary(max_size=40) | st.integers(60_000, 140_000).map(lambda size: b"x" * size)
REQUESTS = st.one_of(
    st.sampled_from([b"/a", b"/later", b"/later/on"]).map(
        lambda path: Sent(b"GET %b?q=1 HTTP/1.1\r\nhost: x\r\n\r\n" % path, b"GET %b?q=1 " % path)
    ),
    BODIES.map(lambda body: Sent(post(body, path=b"/later"), b"POST /later? " + body)),
    BODIES.map(lambda body: Sent(b"\r\n" + post(body, b"Connection: keep-alive"), b"POST /a? " + body)),
    BODIES.map(lambda body: Sent(post(body, b"Connection: Upgrade", b"Upgrade: h2c"), b"POST /a? " + body)),
    st.lists(st.binary(min_size=1, max_size=9), max_size=5).map(
        lambda chunks: Sent(chunked(*chunks, trailer=b"x-late: 1\r\n"), b"POST /chunked? " + b"".join(chunks))
    ),
    st.just(Sent(b"GET http://h/%C3%BC HTTP/1.1\r\n\r\n", "GET /ü? ".encode())),
)


@PATIENT
@given(st.lists(REQUESTS, min_size=1, max_size=6), st.data())
async def test_requests_get_the_same_answers_in_order_however_they_are_cut(requests: list[Sent], data: st.DataObject):
    whole = b"".join(each.sent for each in requests)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    peer = Peer(echo)
    pieces = [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    for piece in pieces:
        peer.send(piece)
        if data.draw(st.booleans()):
            await peer.settle()
    await peer.until(lambda: not peer.connection.busy)
    assert [body for _, _, body in answers(peer.received)] == [each.told for each in requests]
    assert peer.transport.reading
    peer.leave()
    assert not peer.open.tasks


async def test_every_cut_of_two_requests_is_the_same():
    whole = post(b"one") + chunked(b"tw", b"o")
    for cut in range(len(whole) + 1):
        peer = Peer(echo)
        peer.send(whole[:cut])
        await peer.settle()
        peer.send(whole[cut:])
        await peer.settle()
        assert [body for _, _, body in answers(peer.received)] == [b"POST /a? one", b"POST /chunked? two"], cut
        peer.leave()


async def test_a_large_body_is_not_taken_for_the_headers_of_the_request_behind_it():
    whole = post(b"x" * 70_000)
    for cut in range(len(GET)):
        peer = Peer(echo)
        peer.send(whole + GET[:cut])
        await peer.settle()
        peer.send(GET[cut:])
        await peer.settle()
        assert [status for status, _, _ in answers(peer.received)] == [200, 200], cut
        peer.leave()


async def test_a_small_answer_is_one_write_that_says_the_date():
    peer = Peer(echo)
    peer.send(post(b"1"))
    await peer.settle()
    (written,) = peer.transport.written
    ((status, headers, _),) = answers(written)
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert headers["date"].endswith(" GMT")
    assert "connection" not in headers


async def test_the_date_is_that_of_the_last_tick(monkeypatch):
    peer = Peer(echo)
    monkeypatch.setattr("modelwright.server.rest.wire.heads.gmtime", lambda: __import__("time").gmtime(784111777))
    peer.open.heads.tick()
    peer.send(GET)
    await peer.settle()
    assert b"\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n" in peer.received


async def test_answers_wait_for_those_before_them_and_reading_for_both():
    gates = {"/slow": asyncio.Event(), "/last": asyncio.Event()}
    begun = []

    async def gated(request: Request) -> None:
        begun.append(request.path)
        if request.path in gates:
            await gates[request.path].wait()
        await echo(request)

    peer = Peer(gated)
    peer.send(post(b"1", path=b"/slow") + post(b"2", path=b"/last") + post(b"3"), post(b"4"))
    await peer.settle()
    assert begun == ["/slow"]
    assert not peer.transport.reading
    gates["/last"].set()
    gates["/slow"].set()
    await peer.settle()
    assert [body[-1:] for _, _, body in answers(peer.received)] == [b"1", b"2", b"3", b"4"]


async def test_what_is_sent_behind_a_last_request_is_overlooked():
    for last in (b"GET /a HTTP/1.1\r\nconnection: close\r\n\r\n", b"GET /a HTTP/1.0\r\n\r\n"):
        peer = Peer(echo)
        peer.send(last + GET + b"\0garbage")
        await peer.settle()
        ((_, headers, _),) = answers(peer.received)
        assert headers["connection"] == "close"
        assert peer.transport.closed


# The words of a 400: what is said of garbage.
GARBAGE = {
    "zeros": bytes(64),
    "a target that is no path": b"GET a:80 HTTP/1.1\r\n\r\n",
    "CONNECT": b"CONNECT a:80 HTTP/1.1\r\n\r\n",
    "CONNECT with an upgrade": b"CONNECT a:80 HTTP/1.1\r\nconnection: upgrade\r\nupgrade: a\r\n\r\n",
    "two framings": b"POST /a HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
    "two lengths": b"POST /a HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n",
    "a coding that is not chunked": b"POST /a HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n",
    "no chunk": b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nno chunk\r\n",
}


@pytest.mark.parametrize("case", GARBAGE)
@pytest.mark.parametrize("before", [b"", GET, post(b"1", path=b"/later") + GET])
async def test_what_is_no_http_is_refused_behind_the_answers_before_it(case, before):
    peer = Peer(echo)
    peer.send(before + GARBAGE[case])
    await peer.settle()
    *good, (status, headers, body) = answers(peer.received)
    assert [each for each, _, _ in good] == [200] * before.count(b"HTTP/1.1")
    assert (status, headers["content-type"], headers["connection"]) == (400, "application/json", "close")
    assert json.loads(body) == {"error": "Invalid HTTP request received."}
    assert not peer.open.tasks
    peer.leave()


async def test_who_was_refused_may_send_on_for_a_moment_and_no_more():
    for size in (1, 17 << 20):
        peer = Peer(echo)
        peer.send(bytes(64), bytes(size))
        await peer.settle()
        assert len(answers(peer.received)) == 1
        assert peer.transport.closed is (size > 1)
        await peer.until(lambda peer=peer: peer.transport.closed)


async def test_a_body_that_turns_out_wrong_ends_the_work_on_it():
    seen: list[Request] = []

    async def reading(request: Request) -> None:
        seen.append(request)
        await echo(request)

    peer = Peer(reading)
    peer.send(b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await peer.settle()
    peer.send(b"no chunk\r\n")
    await peer.settle()
    assert [status for status, _, _ in answers(peer.received)] == [400]
    assert seen[0].caller.gone
    assert not peer.open.tasks


# What is sent, and is not more.
SLOW = {
    "headers": (b"GET /a HTTP/1.1\r\nhost: x\r\n", {"header_timeout": 0.05}),
    "body": (post(b"12345")[:-1], {"body_timeout": 0.05}),
    "body behind another request": (GET + post(b"12345")[:-1], {"body_timeout": 0.05}),
}


@pytest.mark.parametrize("case", SLOW)
async def test_who_does_not_go_on_is_told_so(case):
    sent, flags = SLOW[case]
    peer = Peer(echo, **flags)
    peer.send(sent)
    await peer.until(lambda: b"HTTP/1.1 408 " in peer.received)
    *before, (_, _, body) = answers(peer.received)
    assert len(before) == ("behind" in case)
    assert "did not arrive in time" in json.loads(body)["error"]
    peer.leave()


async def test_endless_headers_are_a_431():
    peer = Peer(echo)
    peer.send(b"GET /a HTTP/1.1\r\n")
    for _ in range(9):
        peer.send(b"a: " + b"b" * 8192 + b"\r\n")
    assert [status for status, _, _ in answers(peer.received)] == [431]


async def limited(request: Request) -> None:
    """Answer a body of ten bytes at most, as the application does."""
    close = False
    try:
        await bodies.read(request, {}, 10)
        status, headers, body = 200, [JSON], b"{}"
    except type(too_large(10)) as error:
        status, headers, body = replies.refusal(error)
        close = True
    await replies.send_answer(request, status, headers, body, close=close)


CHUNK_OF_240 = b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nf0\r\n"


@pytest.mark.parametrize("arriving", [CHUNK_OF_240, post(bytes(240))])
async def test_a_body_that_is_too_large_is_refused_before_its_end_and_its_sender_gets_to_read_that(arriving):
    peer = Peer(limited)
    peer.send(arriving.removesuffix(bytes(240)), bytes(100))
    await peer.settle()
    ((status, headers, _),) = answers(peer.received)
    assert (status, headers["connection"]) == (413, "close")
    assert not peer.transport.closed
    assert peer.connection.busy
    peer.send(bytes(140), b"\r\n0\r\n\r\n" if b"chunked" in arriving else b"")
    await peer.settle()
    assert peer.transport.closed
    assert len(answers(peer.received)) == 1


async def test_nobody_may_send_on_for_ever_what_nobody_reads():
    async def refuse(request: Request) -> None:
        await replies.send_answer(request, 404, [JSON], b"{}", close=False)

    peer = Peer(refuse)
    peer.send(b"POST /a HTTP/1.1\r\ncontent-length: 100000000\r\n\r\n")
    await peer.settle()
    sent = 0
    while not peer.transport.closed and sent < 20 << 20:
        peer.send(bytes(1 << 20))
        sent += 1 << 20
    assert peer.transport.closed
    assert sent == 17 << 20
    assert [status for status, _, _ in answers(peer.received)] == [404]


async def test_a_body_nobody_wanted_is_overlooked_and_the_next_request_answered():
    async def refuse(request: Request) -> None:
        await replies.send_answer(request, 404, [JSON], b"{}", close=False)

    peer = Peer(refuse)
    for part in (post(bytes(200_000))[:1000], bytes(200_000 - 1000 + len(post(bytes(200_000))) - 200_000), GET):
        peer.send(part)
        await peer.settle()
    assert [status for status, _, _ in answers(peer.received)] == [404, 404]
    assert not peer.transport.closed


async def test_a_large_body_is_not_taken_before_it_is_asked_for():
    gate = asyncio.Event()

    async def later(request: Request) -> None:
        await gate.wait()
        await echo(request)

    peer = Peer(later)
    body = bytes(300_000)
    whole = post(body)
    peer.send(*(whole[at : at + 50_000] for at in range(0, len(whole), 50_000)))
    await peer.settle()
    assert not peer.transport.reading
    gate.set()
    await peer.settle()
    ((_, _, told),) = answers(peer.received)
    assert told == b"POST /a? " + body


async def test_a_body_in_the_smallest_chunks_takes_no_more_room_than_its_bytes():
    seen: list[Request] = []

    async def reading(request: Request) -> None:
        seen.append(request)
        await echo(request)

    peer = Peer(reading)
    peer.send(b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 50_000)
    await peer.settle()
    assert seen[0].size == 50_000
    assert len(seen[0]._pieces) == 2
    peer.send(b"0\r\n\r\n")
    await peer.settle()
    assert answers(peer.received)[0][2] == b"POST /a? " + b"x" * 50_000


async def test_a_connection_that_waits_for_its_next_request_holds_no_body():
    async def refuse(request: Request) -> None:
        await replies.send_answer(request, 404, [JSON], b"{}", close=False)

    for app in (echo, refuse):
        peer = Peer(app)
        peer.send(post(bytes(1000)))
        await peer.settle()
        assert len(answers(peer.received)) == 1
        assert peer.connection.latest.body() == b""


async def test_trailers_are_no_headers():
    seen: list[Request] = []

    async def reading(request: Request) -> None:
        seen.append(request)
        await echo(request)

    peer = Peer(reading)
    peer.send(chunked(b"a", trailer=b"authorization: no\r\n"))
    await peer.settle()
    assert seen[0].headers == [(b"transfer-encoding", b"chunked")]


EXPECTING = b"POST /a HTTP/1.1\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n"


async def test_who_waits_for_a_word_gets_it_when_the_body_is_asked_for():
    gate = asyncio.Event()

    async def later(request: Request) -> None:
        await gate.wait()
        await echo(request)

    peer = Peer(later)
    peer.send(EXPECTING)
    await peer.settle()
    assert peer.received == b""
    gate.set()
    await peer.settle()
    assert peer.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    peer.send(b"123" + GET)
    await peer.settle()
    assert [status for status, _, _ in answers(peer.received)] == [100, 200, 200]


async def test_who_waits_for_a_word_and_is_refused_may_not_send_the_body_as_a_request():
    async def refuse(request: Request) -> None:
        await replies.send_answer(request, 404, [JSON], b"{}", close=False)

    peer = Peer(refuse)
    peer.send(EXPECTING)
    await peer.settle()
    ((status, headers, _),) = answers(peer.received)
    assert (status, headers["connection"]) == (404, "close")
    peer.send(b"123" + GET)
    await peer.settle()
    assert len(answers(peer.received)) == 1
    assert peer.transport.closed


async def test_who_sends_the_body_at_once_needs_no_word():
    peer = Peer(echo)
    peer.send(EXPECTING + b"123" + EXPECTING[:-2])
    peer.send(b"\r\n1")
    await peer.settle()
    peer.send(b"23")
    await peer.settle()
    assert [status for status, _, _ in answers(peer.received)] == [200, 200]


async def test_head_has_a_length_and_no_body_and_204_neither():
    async def either(request: Request) -> None:
        status, body = (204, b"") if request.path == "/204" else (200, b"abc")
        await replies.send_answer(request, status, [JSON], body, close=False)

    peer = Peer(either)
    peer.send(b"HEAD /a HTTP/1.1\r\n\r\nGET /204 HTTP/1.1\r\n\r\n" + GET)
    await peer.settle()
    read = answers(peer.received, bodiless=(0,))
    assert [(status, headers.get("content-length"), body) for status, headers, body in read] == [
        (200, "3", b""),
        (204, None, b""),
        (200, "3", b"abc"),
    ]


async def pieces(*each: bytes, end: BaseException | None = None) -> AsyncIterator[bytes]:
    for piece in each:
        yield piece
    if end is not None:
        raise end


def streaming(*each: bytes, end: BaseException | None = None):
    async def app(request: Request) -> None:
        await replies.send_answer(request, 200, [], pieces(*each, end=end), close=False)

    return app


async def test_pieces_are_chunks():
    peer = Peer(streaming(b"a", b"", b"bc"))
    peer.send(GET + GET)
    await peer.settle()
    assert [body for _, _, body in answers(peer.received)] == [b"abc", b"abc"]
    assert b"\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n" in peer.received


async def test_pieces_for_http_1_0_end_with_the_connection():
    peer = Peer(streaming(b"a", b"bc"))
    peer.send(b"GET /a HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
    await peer.settle()
    head, _, body = peer.received.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body == b"abc"
    assert peer.transport.closed


@pytest.mark.parametrize(("version", "aborted"), [(b"1.1", False), (b"1.0", True)])
async def test_pieces_that_break_off_do_not_look_whole(version, aborted, caplog):
    peer = Peer(streaming(b"a", end=RuntimeError("no more")))
    peer.send(b"GET /a HTTP/%b\r\n\r\n" % version)
    await peer.settle()
    assert peer.transport.closed
    assert peer.transport.aborted is aborted
    assert b"0\r\n\r\n" not in peer.received
    assert "no more" in caplog.text


async def test_large_answers_go_piece_by_piece_as_the_client_reads():
    async def large(request: Request) -> None:
        parts: list[bytes | memoryview] = [b"a" * SMALL, memoryview(b"b" * 100), b"c" * 100]
        await replies.send_answer(request, 200, [JSON], parts, close=False)

    peer = Peer(large)
    peer.connection.pause_writing()
    peer.send(GET)
    await peer.settle()
    assert peer.received == b""
    peer.connection.resume_writing()
    await peer.settle()
    ((_, _, body),) = answers(peer.received)
    assert body == b"a" * SMALL + b"b" * 100 + b"c" * 100
    assert len(peer.transport.written) == 4


async def test_a_small_answer_of_several_parts_is_one_write_too():
    async def parts(request: Request) -> None:
        await replies.send_answer(request, 200, [JSON], [b"a", memoryview(b"b"), b"c"], close=False)

    peer = Peer(parts)
    peer.send(GET)
    await peer.settle()
    (written,) = peer.transport.written
    assert answers(written)[0][2] == b"abc"


async def test_an_answer_that_nobody_reads_waits_and_is_given_up_with_its_client():
    peer = Peer(streaming(b"a", b"b"))
    peer.send(GET)
    peer.connection.pause_writing()
    await peer.settle()
    assert len(peer.open.tasks) == 1
    peer.leave()
    await peer.settle()
    assert not peer.open.tasks


@pytest.mark.parametrize("cut", range(len(EXPECTING) + 4))
async def test_a_client_that_leaves_at_any_point_leaves_nothing_behind(cut, caplog):
    seen: list[Request] = []

    async def answering(request: Request) -> None:
        seen.append(request)
        try:
            await bodies.read(request, {}, LIMIT)
        except bodies.ClientLeft:
            return
        await asyncio.sleep(0)
        await replies.send_answer(request, 200, [JSON], b"{}", close=False)

    for turns in range(3):
        seen.clear()
        peer = Peer(answering)
        peer.send((EXPECTING + b"123" + GET)[:cut])
        for _ in range(turns):
            await asyncio.sleep(0)
        peer.leave()
        await peer.settle()
        assert not peer.open.tasks
        assert not peer.open.connections
        assert all(request.ended or request.caller.gone for request in seen)
    assert not caplog.records


async def test_callers_behind_one_in_work_are_told_to_leave_too():
    async def never(request: Request) -> None:
        request.caller.task = asyncio.current_task()
        await asyncio.Event().wait()

    peer = Peer(never)
    peer.send(GET + GET)
    await peer.settle()
    (current, behind) = (peer.connection.current, peer.connection.latest)
    peer.leave()
    await peer.settle()
    assert current is not None and current is not behind
    assert current.caller.gone
    assert behind.caller.gone
    assert not peer.open.tasks


@pytest.mark.parametrize("failure", [RuntimeError("out of order"), SystemExit(3)])
async def test_an_application_that_fails_is_a_500_and_a_line_in_the_log(failure, caplog):
    async def failing(request: Request) -> None:
        raise failure

    peer = Peer(failing)
    peer.send(post(b"1"))
    await peer.settle()
    ((status, headers, body),) = answers(peer.received)
    assert (status, headers["connection"]) == (500, "close")
    assert "log" in json.loads(body)["error"]
    assert "/a failed" in caplog.text
    assert not peer.open.tasks


async def test_an_application_that_does_not_answer_ends_the_connection():
    async def silent(request: Request) -> None:
        pass

    peer = Peer(silent)
    peer.send(GET)
    await peer.settle()
    assert peer.transport.closed
    assert peer.received == b""


async def test_an_idle_connection_is_closed_and_a_busy_one_is_not():
    gate = asyncio.Event()

    async def gated(request: Request) -> None:
        if request.path == "/slow":
            await gate.wait()
        await echo(request)

    idle, busy = Peer(echo, timeout_keep_alive=0.02), Peer(gated, timeout_keep_alive=0.02)
    busy.send(post(b"1", path=b"/slow"))
    idle.send(GET)
    await idle.until(lambda: idle.transport.closed)
    assert len(answers(idle.received)) == 1
    await asyncio.sleep(0.1)
    assert not busy.transport.closed
    gate.set()
    await busy.until(lambda: busy.transport.closed)
    assert len(answers(busy.received)) == 1


class Socketed(Transport):
    """A transport with a real socket behind it, which the supervisor gets a duplicate of."""

    def __init__(self) -> None:
        super().__init__()
        self.socket, self._other = socket.socketpair()

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self.socket if name == "socket" else super().get_extra_info(name, default)


async def test_the_supervisor_may_answer_what_has_no_answer_yet_and_nothing_else():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    guard = Guard(ours, mmap.mmap(-1, 1))
    gate = asyncio.Event()
    states = []

    async def gated(request: Request) -> None:
        await bodies.read(request, {}, LIMIT)
        states.append(guard.states[0])
        if request.path == "/slow":
            await gate.wait()
        await replies.send_answer(request, 200, [JSON], b"{}", close=False)

    peer = Peer(gated, guard, Socketed())
    assert guard.states[0] == IDLE
    peer.send(EXPECTING[:4])
    assert guard.states[0] == IN_WORK
    peer.send(EXPECTING[4:])
    await peer.settle()
    assert peer.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert guard.states[0] == IN_WORK
    peer.send(b"123")
    await peer.settle()
    assert guard.states[0] == IDLE
    peer.send(post(b"", path=b"/slow") + GET)
    await peer.settle()
    assert guard.states[0] == IN_WORK
    # The slow one's answer stays in the buffer, into whose middle nobody else may write.
    peer.transport.buffered = 1
    gate.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert guard.states[0] == IDLE
    peer.transport.buffered = 0
    await peer.settle()
    assert len(answers(peer.received)) == 4
    peer.leave()
    assert guard.states[0] == CLOSED
    for each in (ours, theirs):
        each.close()


async def test_the_end_of_one_answer_is_the_beginning_of_the_next_for_the_supervisor():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    guard = Guard(ours, mmap.mmap(-1, 1))
    gates = [asyncio.Event(), asyncio.Event()]
    begun = []

    async def gated(request: Request) -> None:
        gate = gates[len(begun)]
        begun.append(request)
        await gate.wait()
        await replies.send_answer(request, 200, [JSON], b"{}", close=False)

    peer = Peer(gated, guard, Socketed())
    peer.send(GET + GET)
    await peer.settle()
    gates[0].set()
    await peer.settle()
    assert len(answers(peer.received)) == 1
    assert guard.states[0] == IN_WORK
    gates[1].set()
    await peer.settle()
    assert guard.states[0] == IDLE
    peer.leave()
    for each in (ours, theirs):
        each.close()
