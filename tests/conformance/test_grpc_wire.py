"""The gRPC server's own HTTP/2, with genuine clients: many calls at once, large ones, and all the ways to leave."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import grpc.aio
import h2.config
import h2.connection
import h2.events
import numpy as np
import pytest
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from tests.conformance.authority import Authority
from tests.conformance.grpc_process import Server, infer, serving, until

METHOD = "/inference.GRPCInferenceService/ModelInfer"
MEGABYTE = 1024 * 1024
LIMITS = tuple(f"--grpc_max_{way}_message_length={32 * MEGABYTE}" for way in ("send", "receive"))
OPTIONS = [(f"grpc.max_{way}_message_length", 32 * MEGABYTE) for way in ("send", "receive")]


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def server(request, tmp_path_factory) -> Iterator[Server]:
    flags = (*LIMITS, "--model_threads=1", f"--event_loop={request.param}")
    with serving(tmp_path_factory.mktemp("wire"), *flags) as running:
        yield running


def large(megabytes: int) -> tuple[bytes, bytes]:
    """Give a request and the bytes that its answer must hold."""
    raw = np.random.default_rng(1).bytes(megabytes * MEGABYTE)
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="UINT8", shape=[len(raw)])
    request = pb.ModelInferRequest(model_name="echo", inputs=[tensor], raw_input_contents=[raw])
    return request.SerializeToString(), raw


def test_200_streams_on_one_connection_get_their_own_answers(server):
    async def main() -> None:
        async with grpc.aio.insecure_channel(server.address) as channel:
            call = channel.unary_unary(METHOD)

            async def one(number: int) -> None:
                raw = np.full(4 + number, number, np.float32).tobytes()
                tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[4 + number])
                request = pb.ModelInferRequest(
                    model_name="echo", id=str(number), inputs=[tensor], raw_input_contents=[raw]
                )
                answer = pb.ModelInferResponse.FromString(await call(request.SerializeToString(), timeout=60))
                assert (answer.id, answer.raw_output_contents[0]) == (str(number), raw)

            for _ in range(5):
                await asyncio.gather(*(one(number) for number in range(200)))

    asyncio.run(main())


@pytest.mark.parametrize("at_once", [1, 4])
def test_16_mb_go_both_ways(server, at_once):
    request, raw = large(16)
    with (
        grpc.insecure_channel(server.address, options=OPTIONS) as channel,
        ThreadPoolExecutor() as pool,
    ):
        call = channel.unary_unary(METHOD)
        for answer in pool.map(lambda _: call(request, timeout=120), range(at_once)):
            assert pb.ModelInferResponse.FromString(answer).raw_output_contents[0] == raw


def test_a_stream_of_large_messages_does_not_end(server):
    request, raw = large(3)
    with grpc.insecure_channel(server.address, options=OPTIONS) as channel:
        call = channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")
        # Twice what one connection may hold beyond its windows.
        answers = [pb.ModelStreamInferResponse.FromString(each) for each in call(iter([request] * 64), timeout=120)]
    assert [each.infer_response.raw_output_contents[0] == raw for each in answers] == [True] * 64


@pytest.mark.parametrize("kind", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_compressed_requests_are_read(server, kind):
    request, raw = large(1)
    with grpc.insecure_channel(server.address, options=OPTIONS) as channel:
        answer = channel.unary_unary(METHOD)(request, compression=kind, timeout=60)
    assert pb.ModelInferResponse.FromString(answer).raw_output_contents[0] == raw


def test_a_compressed_request_that_grows_past_the_limit_is_refused(server):
    zeros = pb.ModelInferRequest(model_name="echo", raw_input_contents=[bytes(64 * MEGABYTE)]).SerializeToString()
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(server.address, options=options) as channel, pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary(METHOD)(zeros, compression=grpc.Compression.Gzip, timeout=60)
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("how", ["cancel", "close", "vanish"])
def test_work_that_has_not_begun_is_dropped_with_its_caller(server, tmp_path, how):
    with ThreadPoolExecutor() as pool, server.channel() as channel:
        busy = pool.submit(server.call, "ModelInfer", infer(sleep="3", mark=str(tmp_path / "busy")), timeout=60)
        until((tmp_path / "busy").exists)
        request = infer(sleep="0", mark=str(tmp_path / "begun")).SerializeToString()
        if how == "vanish":
            leave_without_a_word(server, request)
        else:
            waiting = channel.unary_unary(METHOD).future(request)
            # What is answered on the same connection behind it shows that the server has it.
            assert channel.unary_unary(METHOD)(infer("sums").SerializeToString(), timeout=60)
            waiting.cancel() if how == "cancel" else channel.close()
        busy.result(timeout=60)
        server.call("ModelInfer", infer(sleep="0"), timeout=60)
    assert not (tmp_path / "begun").exists()


def opening(server: Server) -> list[tuple[str, str]]:
    """The header fields of a call, as h2 is given them."""
    return [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", METHOD),
        (":authority", server.address),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]


def leave_without_a_word(server: Server, request: bytes) -> None:
    """Send a call over a bare HTTP/2 connection, be sure that the server has it, and reset the connection."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    client.send_headers(1, opening(server))
    client.send_data(1, b"\0" + len(request).to_bytes(4, "big") + request, end_stream=True)
    client.ping(b"have it?")
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(client.data_to_send())
        answered = False
        while not answered:
            received = connection.recv(65536)
            assert received
            answered = any(isinstance(each, h2.events.PingAckReceived) for each in client.receive_data(received))


def test_half_a_message_is_given_up_and_a_genuine_client_s_silent_stream_is_not(tmp_path):
    h2_client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    h2_client.initiate_connection()
    with serving(tmp_path, "--body_timeout=0.5") as server, server.channel() as channel:
        stop = threading.Event()
        more = iter([infer("sums").SerializeToString()] * 2)

        def requests() -> Iterator[bytes]:
            yield next(more)
            # Silent for as long as it takes the other client to be given up.
            assert stop.wait(60)
            yield next(more)

        stream = channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")(requests(), timeout=120)
        assert next(stream)
        h2_client.send_headers(1, opening(server))
        h2_client.send_data(1, b"\0" + (1000).to_bytes(4, "big") + bytes(10))
        heard: list[h2.events.Event] = []
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(h2_client.data_to_send())
            while not any(isinstance(each, h2.events.StreamReset) for each in heard):
                received = connection.recv(65536)
                assert received
                heard += h2_client.receive_data(received)
        (told,) = (dict(each.headers) for each in heard if isinstance(each, h2.events.ResponseReceived))
        assert told[b"grpc-status"] == b"4"
        assert b"--body_timeout" in told[b"grpc-message"]
        stop.set()
        assert next(stream)
        stream.cancel()


def test_another_protocol_is_told_so_and_nobody_else_minds(server):
    for said in (b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", b"\x16\x03\x01" + bytes(100)):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(said)
            heard = b"".join(iter(lambda: connection.recv(65536), b""))
        assert b"this port speaks gRPC" in heard
    server.call("ModelInfer", infer())
    assert "Traceback" not in server.log.read_text()


def test_the_server_needs_no_grpcio(server):
    server.call("ModelInfer", infer())
    assert "cygrpc" not in Path(f"/proc/{server.process.pid}/maps").read_text()


def test_draining_under_load_loses_no_call(tmp_path):
    stop, lost, done = threading.Event(), [], []

    def client(server: Server) -> None:
        with server.channel() as channel:
            call = channel.unary_unary(METHOD)
            while not stop.is_set():
                try:
                    call(infer("sums").SerializeToString(), timeout=60)
                    done.append(1)
                except grpc.RpcError as error:
                    # Nobody listens any more, which a client may try elsewhere; what was taken is answered.
                    if error.code() is grpc.StatusCode.UNAVAILABLE and "connect" in error.details():
                        return
                    lost.append(error)
                    return

    with serving(tmp_path, "--drain_delay=0.5", "--workers=2") as server, ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(client, server) for _ in range(8)]
        until(lambda: len(done) > 200)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
        end = time.monotonic() + 60
        while not all(each.done() for each in clients):
            assert time.monotonic() < end
            time.sleep(0.05)
        stop.set()
        assert not lost, lost[0]
        assert "Traceback" not in server.log.read_text()


def test_over_tls_a_client_must_choose_http_2(tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.sign("server")
    script = tmp_path / "own"
    script.mkdir()
    context = authority.trust()
    with secured(script, f"--ssl_certfile={certificate}", f"--ssl_keyfile={key}") as port:
        for offered, taken in ((["h2"], True), (["http/1.1"], False), ([], False)):
            context = authority.trust()
            if offered:
                context.set_alpn_protocols(offered)
            with (
                socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
            ):
                first = read(connection)
            assert bool(first) == taken, offered


def read(connection: ssl.SSLSocket) -> bytes:
    try:
        return connection.recv(65536)
    except (ssl.SSLEOFError, ConnectionResetError):
        return b""


class secured:  # noqa: N801 - as contextlib's
    """A server whose readiness is its log's word: `serving` asks without TLS."""

    def __init__(self, folder: Path, *flags: str) -> None:
        from tests.conformance.server_process import Server as RestServer

        self._server = RestServer(folder, "--enable_grpc=true", "--grpc_port=0", *flags)

    def __enter__(self) -> int:
        self._server.wait_until_serving()
        (line,) = (each for each in self._server.log.splitlines() if "serving gRPC on port" in each)
        return int(line.rpartition(" ")[2])

    def __exit__(self, *_: object) -> None:
        self._server.kill()
