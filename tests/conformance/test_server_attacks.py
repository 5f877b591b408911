"""Attacks on raw sockets: each is answered or cut off in time, and the server goes on serving."""

from __future__ import annotations

import time

import pytest

HEAD = b"POST /v2/models/sum/infer HTTP/1.1\r\nhost: x\r\n"


def trickle(connection, piece: bytes, seconds: float) -> bytes:
    """Send a piece every tenth of a second until an answer comes."""
    until = time.monotonic() + seconds
    connection.settimeout(0.1)
    while time.monotonic() < until:
        try:
            connection.sendall(piece)
            answer = connection.recv(4096)
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return b"reset"
        return answer or b"closed"
    return b""


@pytest.mark.parametrize(
    ("start", "piece"),
    [(HEAD, b"a: b\r\n"), (HEAD + b"content-length: 1000\r\n\r\n", b" ")],
    ids=["slow headers", "slow body"],
)
def test_slow_requests_time_out(server, start, piece):
    with server.socket() as connection:
        connection.sendall(start)
        assert trickle(connection, piece, 8).startswith(b"HTTP/1.1 408 ")
    assert server.live()


def test_endless_chunks_end_with_a_413(server):
    with server.socket() as connection:
        connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        chunk = b"%x\r\n" % 65536 + b" " * 65536 + b"\r\n"
        assert trickle(connection, chunk, 5).startswith(b"HTTP/1.1 413 ")
    assert server.live()


def test_endless_headers_end_with_a_431(server):
    with server.socket() as connection:
        connection.sendall(HEAD)
        answer = trickle(connection, b"a: " + b"b" * 8192 + b"\r\n", 3)
        assert answer.startswith(b"HTTP/1.1 431 ") or answer == b"reset"
    assert server.live()


@pytest.mark.parametrize(
    "garbage",
    [b"\x00" * 64 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/9.9\r\n\r\n"],
    ids=["zeros", "tls", "version"],
)
def test_garbage_is_a_400(server, garbage):
    with server.socket() as connection:
        connection.sendall(garbage)
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert server.live()


@pytest.mark.parametrize("framing", [b"content-length: -5", b"content-length: 5\r\ntransfer-encoding: chunked"])
def test_ambiguous_framing_is_a_400(server, framing):
    with server.socket() as connection:
        connection.sendall(HEAD + framing + b"\r\n\r\n0\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert server.live()


def test_half_a_request_and_a_close(server):
    for part in (HEAD, HEAD + b"content-length: 1000\r\n\r\n{", HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n{"):
        with server.socket() as connection:
            connection.sendall(part)
    assert server.live()
    assert "Traceback" not in server.log
