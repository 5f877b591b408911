"""Answers in pieces over REST, from models of each kind, to clients that read on, read slowly, or leave."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.conformance.kserve_servers import Server, free_port, start

PATIENCE_S = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start(
        tmp_path_factory.mktemp("streaming"), "streaming", f"--grpc_port={free_port()}", "--access_log", kserve="twin"
    )
    yield running
    assert running.stop() == 0


@pytest.fixture
def serve(tmp_path) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def one(*flags: str) -> Server:
        started.append(start(tmp_path, "streaming", "--enable_grpc=false", *flags, kserve="twin"))
        return started[-1]

    yield one
    for each in started:
        each.process.kill()
        each.process.wait()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def flat(text: str, **parameters: object) -> bytes:
    return json.dumps({"text_input": text, **({"parameters": parameters} if parameters else {})}).encode()


def v2(text: str, **more: object) -> bytes:
    return json.dumps({"inputs": [{"name": "t", "shape": [1], "datatype": "BYTES", "data": [text]}], **more}).encode()


def events(body: bytes) -> list[tuple[str, dict]]:
    """Read a whole stream: each event's name and data."""
    assert body.endswith(b"\n\n") or not body
    read = []
    for block in body.decode().split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        read.append((lines.get("event", "message"), json.loads(lines["data"])))
    return read


def texts(body: bytes) -> list[str]:
    return [data["text_output"] for _, data in events(body)]


@contextmanager
def connected(server: Server, model: str, body: bytes) -> Iterator[socket.socket]:
    """Send a request on a raw socket, of which the test reads as much as it wants."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as connection:
        head = f"POST /v2/models/{model}/generate_stream HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n"
        connection.sendall(head.encode() + b"\r\n" + body)
        yield connection


def read_until(connection: socket.socket, text: bytes) -> bytes:
    got = b""
    while text not in got:
        more = connection.recv(4096)
        assert more, got
        got += more
    return got


@pytest.mark.parametrize("model", ["async", "sync"])
def test_pieces_are_events_of_an_inference_response_each(server, model):
    status, headers, body = server.ask(f"/v2/models/{model}/infer_stream", v2("one two three", id="7"))
    assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert [name for name, _ in events(body)] == ["message"] * 3
    assert events(body)[1][1] == {
        "model_name": model,
        "id": "7",
        "outputs": [{"name": "text_output", "shape": [1], "datatype": "BYTES", "data": ["two"]}],
    }


@pytest.mark.parametrize("model", ["async", "sync"])
def test_generate_stream_takes_both_kinds_of_body_and_answers_in_kind(server, model):
    assert texts(server.ask(f"/v2/models/{model}/generate_stream", flat("one two"))[2]) == ["one", "two"]
    whole = server.ask(f"/v2/models/{model}/generate_stream", v2("one two"))[2]
    assert [data["outputs"][0]["data"] for _, data in events(whole)] == [["one"], ["two"]]


def test_generate_answers_one_piece_and_refuses_several(server):
    status, headers, body = server.ask("/v2/models/async/generate", flat("one"))
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == {"text_output": "one", "model_name": "async"}
    for path, sent in (("generate", flat("one two")), ("generate", v2("one two")), ("infer", v2("one two"))):
        status, _, body = server.ask(f"/v2/models/async/{path}", sent)
        assert status == 400
        assert "infer_stream" in json.loads(body)["error"]


def test_a_model_that_does_not_stream_gives_its_answer_as_the_only_piece(server):
    assert events(server.ask("/v2/models/whole/generate_stream", flat("a b"))[2]) == [
        ("message", {"output-0": 2, "model_name": "whole"})
    ]
    assert json.loads(server.ask("/v2/models/whole/generate", flat("a b"))[2])["output-0"] == 2


def test_pieces_of_tensors(server):
    body = {"inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]}]}
    _, _, got = server.ask("/v2/models/tensors/infer_stream", json.dumps(body).encode())
    assert [data["outputs"][0]["data"] for _, data in events(got)] == [[3.0], [7.0]]
    body["parameters"] = {"binary_data_output": True}
    status, _, got = server.ask("/v2/models/tensors/infer_stream", json.dumps(body).encode())
    assert status == 400
    assert "binary_data" in json.loads(got)["error"]


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        (b"", 400, "empty"),
        (b"[1]", 400, "JSON object"),
        (b"{}", 400, "'text_input'"),
        (b'{"text_input": {"a": 1}}', 400, "'text_input'"),
        (b'{"text_input": 3}', 400, "'text_input'"),
        (b'{"text_input": "a", "parameters": 3}', 400, "'parameters'"),
        (b'{"text_input": "a", "parameters": {"top": [1]}}', 400, "'top'"),
        (b'{"text_input": "a", "other": [1]}', 400, "'other'"),
        (b'{"text_input": "a", "id": 3}', 400, "'id'"),
        (b'{"inputs": 3}', 400, "'inputs'"),
    ],
)
@pytest.mark.parametrize("path", ["generate", "generate_stream"])
def test_what_is_wrong_with_a_body_is_said_before_the_stream(server, path, body, status, named):
    got, headers, answer = server.ask(f"/v2/models/sync/{path}", body)
    assert (got, headers["content-type"]) == (status, "application/json")
    assert named in json.loads(answer)["error"]


def test_an_error_before_the_first_piece_is_an_ordinary_one(server):
    status, _, body = server.ask("/v2/models/async/generate_stream", flat("refuse"))
    assert (status, json.loads(body)["error"]) == (400, "not this word")
    for model in ("async", "sync"):
        status, headers, body = server.ask(f"/v2/models/{model}/generate_stream", flat("boom"))
        assert (status, headers["content-type"]) == (500, "application/json")
        assert json.loads(body)["request_id"] == headers["x-request-id"]
    assert server.ask("/v2/models/nobody/generate_stream", flat("a"))[0] == 404
    assert server.ask("/v2/models/async/versions/9/infer_stream", v2("a"))[0] == 404
    assert server.ask("/v2/models/async/infer_stream")[0] == 405


@pytest.mark.parametrize("model", ["async", "sync"])
def test_an_error_after_the_first_piece_is_the_last_event(server, model):
    headers = {"content-type": "application/json", "x-request-id": f"mid-{model}"}
    status, got, body = server.ask(f"/v2/models/{model}/generate_stream", flat("one boom two"), headers)
    (first, second) = events(body)
    assert (status, got["x-request-id"], first[1]["text_output"]) == (200, f"mid-{model}", "one")
    assert second[0] == "error"
    assert second[1]["request_id"] == f"mid-{model}"
    assert "weights" not in body.decode()
    log = server.log.read_text()
    assert f"requestId: mid-{model}" in log
    assert "RuntimeError: cannot read" in log


def test_a_refusal_after_the_first_piece_keeps_its_words(server):
    *_, (name, data) = events(server.ask("/v2/models/async/generate_stream", flat("one refuse-late"))[2])
    assert (name, data["error"]) == ("error", "not this word")


@pytest.mark.parametrize("model", ["async", "sync"])
def test_a_deadline_bounds_the_whole_stream(server, model):
    word = {"async": "wait", "sync": " ".join(["pause"] * 30)}[model]
    headers = {"content-type": "application/json", "x-request-timeout": "4"}
    begun = time.monotonic()
    *_, (name, data) = events(server.ask(f"/v2/models/{model}/generate_stream", flat(f"one {word} two"), headers)[2])
    assert name == "error"
    assert "time that the caller allowed" in data["error"]
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(("model", "text"), [("async", "one wait two"), ("sync", "one flood")])
def test_a_client_that_leaves_ends_the_work(server, model, text):
    closed = server.log.read_text().count(f"closed {model}")
    with connected(server, model, flat(text)) as connection:
        read_until(connection, b"one")
    until(lambda: server.log.read_text().count(f"closed {model}") > closed)


def test_nothing_is_computed_far_ahead_of_a_client_that_does_not_read(serve):
    server = serve()
    with connected(server, "sync", flat("one flood")) as connection:
        read_until(connection, b"one")

        def computed() -> int:
            return server.log.read_text().count("piece ")

        until(computed)
        before = 0
        while computed() > before:
            before = computed()
            time.sleep(1)
        # What the kernel's buffers on both sides hold, and not 10,000 pieces of 64 KiB.
        assert computed() < 1000
        assert server.ask("/v2/health/live")[0] == 200
    until(lambda: "closed sync" in server.log.read_text())


def test_a_stream_counts_against_the_bound_until_its_end(serve):
    server = serve("--max_queue_size=0", "--model_threads=1")
    with connected(server, "async", flat("one wait")) as connection:
        read_until(connection, b"one")
        assert server.ask("/v2/models/async/generate", flat("one"))[0] == 429
    until(lambda: server.ask("/v2/models/async/generate", flat("one"))[0] == 200)


def test_draining_lets_a_stream_end(serve):
    server = serve("--drain_delay=0.1")
    with connected(server, "sync", flat("one pause two pause three")) as connection:
        got = read_until(connection, b"one")
        server.process.terminate()
        got += read_until(connection, b"\r\n0\r\n\r\n")
        assert b"three" in got
        assert b"event: error" not in got
    assert server.process.wait(PATIENCE_S) == 0


def test_the_grace_period_ends_a_stream_with_a_word(serve):
    server = serve("--drain_delay=0.1", "--grace_period=1")
    with connected(server, "async", flat("one wait")) as connection:
        read_until(connection, b"one")
        server.process.terminate()
        assert b"the server stopped" in read_until(connection, b"\r\n0\r\n\r\n")
    assert server.process.wait(PATIENCE_S) == 1


def test_a_stream_holds_up_neither_health_nor_other_requests(server):
    with connected(server, "async", flat("one wait")) as connection:
        read_until(connection, b"one")
        assert server.ask("/v2/health/live")[0] == 200
        assert texts(server.ask("/v2/models/async/generate_stream", flat("two"))[2]) == ["two"]


def test_many_streams_at_once_are_each_their_own(server):
    got: dict[int, list[str]] = {}

    def one(number: int) -> None:
        words = [f"w{number}-{index}" for index in range(20)]
        assert texts(server.ask("/v2/models/sync/generate_stream", flat(" ".join(words)))[2]) == words
        got[number] = words

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(got) == 8


def test_a_v1_stream_that_breaks_does_not_look_whole(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    connection.request("POST", "/v1/models/async:predict", b'{"instances": ["one boom"]}')
    with pytest.raises(http.client.IncompleteRead) as broken:
        connection.getresponse().read()
    assert broken.value.partial == b"one"
    connection.close()


def test_v1_pieces_are_what_kserve_sends(server, tmp_path):
    genuine = start(tmp_path, "streaming", f"--grpc_port={free_port()}", kserve="genuine")
    try:
        for text in ("one two three", "ü"):
            sent = json.dumps({"instances": [text]}).encode()
            theirs, ours = (each.ask("/v1/models/async:predict", sent) for each in (genuine, server))
            assert (ours[0], ours[2]) == (theirs[0], theirs[2])
            assert ours[1].get("content-type") == theirs[1].get("content-type")
    finally:
        genuine.stop()
