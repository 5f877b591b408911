"""What the callers of a killed worker get: a 503 where nothing was answered yet, and never a second answer."""

from __future__ import annotations

import http.client
import json
import os
import resource
import signal
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from tests.conformance.authority import Authority
from tests.conformance.grpc_process import infer, serving
from tests.conformance.server_process import Reply, Server, read

PATIENCE_S = 40
PREDICT = "/v1/models/sum:predict"


@pytest.fixture(params=["uvloop", "asyncio"])
def server(start, request) -> Server:
    flags = ("--workers=2", "--model_threads=16", f"--event_loop={request.param}")
    return start(*flags, models="dying_models").wait_until_serving(2)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def payload(**more: object) -> bytes:
    return json.dumps({"instances": [[1, 2]], **more}).encode()


def ask(connection: http.client.HTTPConnection, **more: object) -> Reply:
    connection.request("POST", PREDICT, payload(**more), {"Content-Type": "application/json"})
    return read(connection)


def raw(body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [f"POST {PREDICT} HTTP/1.1", "Host: it", f"Content-Length: {length or len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def rest(connection: socket.socket) -> bytes:
    """Everything until the server's end, which must come as an end and not as a reset."""
    pieces = []
    while piece := connection.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def connections(server: Server, each: int) -> list[tuple[int, list[http.client.HTTPConnection]]]:
    """Open keep-alive connections until two workers have so many each; by worker."""
    found = defaultdict(list)

    def another(_: int) -> tuple[int, http.client.HTTPConnection]:
        connection = server.connect(PATIENCE_S)
        return ask(connection).json["pid"], connection

    end = time.monotonic() + PATIENCE_S
    while len(found) < 2 or min(map(len, found.values())) < each:
        assert time.monotonic() < end, Counter({pid: len(of) for pid, of in found.items()})
        with ThreadPoolExecutor(each) as pool:
            for pid, connection in pool.map(another, range(each)):
                found[pid].append(connection)
    return list(found.items())


def one_of(server: Server, wanted: int | None = None) -> tuple[int, socket.socket]:
    """Open a connection, to a certain worker where one is wanted, and give whose it is."""
    end = time.monotonic() + PATIENCE_S
    while True:
        connection = server.socket(PATIENCE_S)
        connection.sendall(raw(payload()))
        answer = connection.recv(1 << 16)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        pid = json.loads(answer.split(b"\r\n\r\n", 1)[1])["pid"]
        if wanted in (None, pid):
            return pid, connection
        assert time.monotonic() < end, "the wanted worker takes no connection"


def begun(server: Server, mark: object) -> int:
    return server.log.count(f"begun {mark}\n")


def kill(server: Server, victim: int) -> float:
    """Kill a worker and wait for its replacement; return when it was killed."""
    serving = server.log.count("serving ")
    at = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    until(lambda: server.log.count("serving ") > serving)
    return at


def died(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 503 ") and "worker" in json.loads(body)["error"]


def held(server: Server) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_killed_workers_requests_get_a_503_and_the_others_their_answers(server):
    before = held(server)
    for turn in range(5):
        (victim, dying), (_, living) = connections(server, 8)
        with ThreadPoolExecutor(10) as pool:
            lost = [pool.submit(timed, connection, mark=f"lost-{turn}", wait=60) for connection in dying[:8]]
            kept = [pool.submit(ask, connection, mark=f"kept-{turn}", wait=3) for connection in living[:2]]
            until(lambda turn=turn: begun(server, f"lost-{turn}") == 8 and begun(server, f"kept-{turn}") == 2)
            killed = kill(server, victim)
            for reply, at in (each.result() for each in lost):
                assert reply.status == 503
                assert reply.headers["content-type"] == "application/json"
                assert reply.headers["connection"] == "close"
                assert reply.json == {
                    "error": "the worker that had this request died before it answered; the request may be sent again"
                }
                assert at - killed < 5
            assert [each.result().status for each in kept] == [200, 200]
        assert all(ask(connection).status == 200 for connection in dying[:8])  # http.client connects anew
        for connection in (*dying, *living):
            connection.close()
    until(lambda: held(server) <= before)
    assert server.stop() == 0


def timed(connection: http.client.HTTPConnection, **more: object) -> tuple[Reply, float]:
    reply = ask(connection, **more)
    return reply, time.monotonic()


def test_an_idle_connection_is_closed_and_a_half_sent_request_answered(server):
    victim, idle = one_of(server)
    uploading, expecting = one_of(server, victim)[1], one_of(server, victim)[1]
    body = payload(filling="x" * 300_000)
    uploading.sendall(raw(body[:100_000], length=len(body)))
    expecting.sendall(raw(b"", "Expect: 100-continue", length=100))
    assert expecting.recv(1 << 16).startswith(b"HTTP/1.1 100 ")
    kill(server, victim)
    assert rest(idle) == b""
    assert died(rest(uploading))
    assert died(rest(expecting))


def test_a_stream_is_cut_off(server):
    victim, connection = one_of(server)
    body = b'{"x": [1, 2, 3, 4]}'
    connection.sendall(raw(body).replace(PREDICT.encode(), b"/v2/models/sum/generate_stream"))
    seen = connection.recv(1 << 16)
    while seen.startswith(b"HTTP/1.1 200 ") and b"data:" not in seen:
        seen += connection.recv(1 << 16)
    kill(server, victim)
    seen += rest(connection)
    assert seen.startswith(b"HTTP/1.1 200 ")
    assert seen.count(b"HTTP/1.1") == 1
    assert not seen.endswith(b"\r\n0\r\n\r\n")


def test_an_answer_that_a_slow_reader_has_not_taken_is_cut_off_and_not_followed(server):
    victim, connection = one_of(server)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
    connection.sendall(raw(payload(mark="large", size=1 << 25)) + raw(payload(mark="behind", wait=60)))
    until(lambda: begun(server, "behind") == 1)
    kill(server, victim)
    seen = rest(connection)
    assert seen.startswith(b"HTTP/1.1 200 ")
    assert len(seen) < 1 << 25
    assert b"HTTP/1.1" not in seen[1:]


def test_of_pipelined_requests_the_one_in_work_is_answered(server):
    victim, connection = one_of(server)
    quick, slow = raw(payload(mark="quick")), raw(payload(mark="slow", wait=60))
    connection.sendall(quick + slow + quick)
    until(lambda: begun(server, "slow") == 1)
    kill(server, victim)
    seen = rest(connection)
    assert seen.startswith(b"HTTP/1.1 200 ")
    assert seen.count(b"HTTP/1.1 ") == 2
    assert died(seen[seen.rindex(b"HTTP/1.1 ") :])


def test_the_end_of_a_connection_arrives_whoever_holds_a_duplicate(start):
    server = start("--workers=2", "--timeout_keep_alive=1", models="dying_models").wait_until_serving(2)
    # A stopped supervisor lets go of nothing and takes nothing: connections past what the channel holds go unguarded.
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        with server.socket(PATIENCE_S) as asked:
            asked.sendall(raw(payload(), "Connection: close"))
            assert rest(asked).startswith(b"HTTP/1.1 200 ")
        for _ in range(1000):
            assert server.predict().status == 200
        with server.socket(PATIENCE_S) as idle:
            assert rest(idle) == b""
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    assert server.stop() == 0


def test_connections_past_the_limit_are_served_unguarded(start):
    server = start("--workers=2", "--model_threads=16", models="dying_models")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # A quarter of what the supervisor may open is guarded of each of two workers.
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (96, hard))
    server.wait_until_serving(2)
    for child in children(server.process.pid):
        resource.prlimit(child, resource.RLIMIT_NOFILE, (soft, hard))
    (victim, dying), (_, living) = connections(server, 26)
    with ThreadPoolExecutor(len(dying)) as pool:
        asked = [pool.submit(ask, connection, mark="many", wait=60) for connection in dying]
        until(lambda: begun(server, "many") == len(dying))
        kill(server, victim)
        statuses = Counter(0 if each.exception() else each.result().status for each in asked)
    assert statuses == {503: 24, 0: len(dying) - 24}
    for connection in (*dying, *living):
        connection.close()


def test_under_tls_the_connection_just_ends(start, tmp_path):
    authority = Authority(tmp_path / "tls")
    certificate, key = authority.sign("server")
    flags = ("--workers=2", f"--ssl_certfile={certificate}", f"--ssl_keyfile={key}")
    server = start(*flags, models="dying_models").wait_until_serving(2)
    with authority.trust().wrap_socket(server.socket(PATIENCE_S), server_hostname="127.0.0.1") as connection:
        connection.sendall(raw(payload()))
        victim = json.loads(connection.recv(1 << 16).split(b"\r\n\r\n", 1)[1])["pid"]
        connection.sendall(raw(payload(mark="ciphered", wait=60)))
        until(lambda: begun(server, "ciphered") == 1)
        kill(server, victim)
        assert connection.recv(1 << 16) == b""


def test_grpc_callers_get_unavailable(tmp_path: Path):
    with serving(tmp_path, "--workers=2") as server, ThreadPoolExecutor(1) as pool:
        mark = tmp_path / "begun"
        call = pool.submit(server.call, "ModelInfer", infer(sleep="60", mark=str(mark)), PATIENCE_S)
        until(lambda: call.done() or mark.exists())
        assert not call.done(), call.exception()
        for child in children(server.process.pid):
            os.kill(child, signal.SIGKILL)
        with pytest.raises(grpc.RpcError) as raised:
            call.result()
        assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
