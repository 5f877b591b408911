"""`modelwright predict` in a process of its own, asking real servers."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conformance.authority import Authority
from tests.conformance.grpc_process import free_port
from tests.conformance.server_process import ROOT, Server

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "runtimes")}


def predict(*arguments: object, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "modelwright", "predict", *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, timeout=60, check=False, env=ENVIRONMENT)


@pytest.fixture(scope="module")
def grpc_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, grpc_port: int) -> Iterator[str]:
    flags = ("--enable_grpc=true", f"--grpc_port={grpc_port}")
    server = Server(tmp_path_factory.mktemp("several"), *flags, models="predict_models").wait_until_serving()
    yield f"http://127.0.0.1:{server.port}"
    server.kill()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = Server(tmp_path_factory.mktemp("alone"), models="predict_models", SERVED="sums").wait_until_serving()
    yield f"127.0.0.1:{server.port}"
    server.kill()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    pixels = np.zeros((16, 12, 3), np.uint8)
    pixels[..., 0] = 255
    Image.fromarray(pixels).save(tmp_path / "red.png")
    return tmp_path / "red.png"


def answer(done: subprocess.CompletedProcess[bytes]):
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return json.loads(done.stdout)


def test_the_only_model_is_found_and_v1_and_v2_are_told_apart_by_the_request(alone: str, tmp_path: Path) -> None:
    v1 = tmp_path / "v1.json"
    v1.write_text('{"instances": [[1, 2]]}')
    assert answer(predict(v1, "--url", alone))["predictions"] == [3.0]
    v2 = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}
    assert answer(predict("--url", alone, given=json.dumps(v2).encode()))["outputs"][0]["data"] == [10.0]
    bare = answer(predict("--url", alone, "--data", "[[1, 2, 3, 4], [1, 1, 1, 1]]"))
    assert bare["outputs"][0] == {"name": "y", "shape": [2], "datatype": "FP32", "data": [10.0, 4.0]}
    assert "predictions" in answer(predict("--url", alone, "--data", "[[1]]", "--protocol", "v1"))


def test_host_and_headers_go_along_as_an_ingress_wants_them(alone: str) -> None:
    more = ("--host", "sums.example.com", "--header", "x-tenant: blue")
    done = predict("--url", alone, "--data", '{"instances": [[1]]}', *more)
    assert answer(done)["said"] == {"host": "sums.example.com", "tenant": "blue"}


def test_grpc_answers_what_rest_does(url: str, grpc_port: int, image: Path) -> None:
    where = ("--url", f"grpc://127.0.0.1:{grpc_port}")
    over_rest = answer(predict("--url", url, "-m", "sums", "--data", "[[1, 2, 3, 4]]"))
    assert answer(predict(*where, "-m", "sums", "--data", "[[1, 2, 3, 4]]")) == over_rest
    assert answer(predict(image, *where, "-m", "picture"))["outputs"][0]["data"] == [f"{image.stat().st_size} PNG"]
    refused = predict(
        *where, "-m", "nobody", "--data", '{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": [1]}]}'
    )
    assert (refused.returncode, b"NOT_FOUND" in refused.stderr) == (1, True), refused.stderr
    assert b"name one with --model" in predict(*where, "--data", "[1]").stderr


def test_an_image_goes_as_the_model_declares_it_or_as_it_is_asked_for(url: str, image: Path) -> None:
    size = image.stat().st_size
    assert answer(predict(image, "--url", url, "-m", "picture"))["outputs"][0]["data"] == [f"{size} PNG"]
    assert answer(predict("-", "--url", url, "-m", "picture", given=image.read_bytes()))["outputs"]
    assert answer(predict(image, "--url", url, "-m", "picture", "--as", "v1-b64")) == {"predictions": [size]}
    assert answer(predict(image, "--url", url, "-m", "pixels"))["outputs"][0]["data"] == [1.0, 0.0, 0.0]
    jpeg = io.BytesIO()
    Image.open(image).save(jpeg, "JPEG")
    assert answer(predict("--url", url, "-m", "pixels", given=jpeg.getvalue()))["outputs"][0]["shape"] == [3]
    wrong = predict(image, "--url", url, "-m", "sums")
    assert (wrong.returncode, b"shape [-1, 4], which is no image's" in wrong.stderr) == (2, True), wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--data", "[1]"], 2, "name the model with --model; the models at .*: sums, picture, pixels"),
        (["--data", "[1]", "-m", "nobody"], 2, "there is no model 'nobody' at .*; its models: sums, picture, pixels"),
        (["--data", "{", "-m", "sums"], 2, "--data is no JSON"),
        (["--data", "[[1], [1, 2]]", "-m", "sums"], 2, "the list is ragged"),
        (["--data", "{}", "-m", "sums"], 1, "the server answered 400: 'instances' is missing"),
        (["--data", "[[1]]", "-m", "sums"], 1, r"the server answered 400: input 'x' has shape \[1, 1\]; expected"),
        (["nowhere.json", "-m", "sums"], 2, "nowhere.json: No such file or directory"),
        (["--data", "{}", "--header", "oops"], 2, "--header 'oops' must be NAME:VALUE"),
        (["--data", "{}", "--nonsense"], 2, "predict has no --nonsense"),
        (["--data", '{"text": 1}', "-m", "sums"], 2, "the answer is text/plain, 11 bytes, and no JSON"),
        (["--data", '{"wait": 9}', "-m", "sums", "--timeout", "1"], 3, "did not answer within 1 s"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told_with_its_own_status(url: str, arguments: list[str], status: int, said: str) -> None:
    done = predict(*arguments, "--url", url)
    assert done.returncode == status, done.stderr
    assert re.search(said, done.stderr.decode()), done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


def test_tls_takes_the_authority_that_is_named(tmp_path: Path) -> None:
    authority, port = Authority(tmp_path / "authority"), free_port()
    certificate, key = authority.sign("server")
    flags = ("--enable_grpc=true", f"--grpc_port={port}", f"--ssl_certfile={certificate}", f"--ssl_keyfile={key}")
    server = Server(tmp_path, *flags, models="predict_models").wait_until_serving()
    try:
        for url in (f"https://127.0.0.1:{server.port}", f"grpcs://127.0.0.1:{port}"):
            asked = ("--url", url, "-m", "sums", "--data", "[[1, 2, 3, 4]]")
            assert answer(predict(*asked, "--ca", authority.file))["outputs"][0]["data"] == [10.0]
            assert predict(*asked, "--timeout", "20").returncode == 3
            missing = predict(*asked, "--ca", tmp_path / "nowhere.pem")
            assert (missing.returncode, b"nowhere.pem: No such file" in missing.stderr) == (2, True), missing.stderr
        untrusted = predict("--url", f"https://127.0.0.1:{server.port}", "--data", "[1]")
        assert b"shows a certificate that is not trusted" in untrusted.stderr
    finally:
        server.kill()


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_nobody_there_is_status_3(scheme: str) -> None:
    done = predict(
        "--data", "[[1, 2, 3, 4]]", "-m", "sums", "--url", f"{scheme}://127.0.0.1:{free_port()}", "--timeout", "20"
    )
    assert (done.returncode, b"cannot be reached" in done.stderr) == (3, True), done.stderr


def test_raw_and_output_take_the_answer_as_it_came(url: str, tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    done = predict("--data", '{"text": 1}', "-m", "sums", "--url", url, "--raw", "--output", file)
    assert (done.returncode, done.stdout, file.read_bytes()) == (0, b"", b"plain words")


def test_a_jsonl_file_is_answered_line_by_line_and_a_refusal_names_its_line(alone: str, tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text('{"instances": [[1]]}\n\n{}\n{"instances": [[2]]}\n')
    done = predict(file, "--url", alone)
    assert done.returncode == 1
    assert [json.loads(line)["predictions"] for line in done.stdout.splitlines()] == [[1.0], [2.0]]
    assert f"{file}:3: the server answered 400" in done.stderr.decode()
    assert "3 requests, milliseconds: min " in done.stderr.decode()


def test_repeat_tells_the_times_and_answers_once(alone: str) -> None:
    done = predict("--data", "[[1, 2, 3, 4]]", "--url", alone, "--repeat", 5)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr.startswith(b"5 requests, milliseconds: min ")


def test_a_terminal_sees_that_work_goes_on(alone: str) -> None:
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "modelwright",
        "predict",
        "--url",
        alone,
        "--data",
        '{"instances": [[1]], "wait": 2.5}',
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, stdin=theirs, env=ENVIRONMENT) as process:
        os.close(theirs)
        shown = b""
        until = time.monotonic() + 40
        while time.monotonic() < until:
            try:
                piece = os.read(ours, 4096)
            except OSError:
                break
            shown += piece
        assert process.wait(30) == 0
    os.close(ours)
    assert re.search(r"waiting for the model, \d\.\d s", shown.decode()), shown
    assert shown.endswith(b"\r\x1b[K"), "the line is taken away again"


def test_a_server_without_the_binary_extension_gets_base64(image: Path) -> None:
    """As MLServer, whose list of models is an index, and which is told of base64 by content_type."""
    seen: list[dict] = []

    class MlServerLike(BaseHTTPRequestHandler):
        def answer(self, status: int, document: object) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            described = {"name": "m", "inputs": [{"name": "image", "datatype": "BYTES", "shape": [-1, 1]}]}
            known = {"/v2/models/m": described, "/v2": {"name": "mlserver", "extensions": []}}
            self.answer(200 if self.path in known else 404, known.get(self.path, {"detail": "Not Found"}))

        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self.path == "/v2/repository/index":
                return self.answer(200, [{"name": "m", "state": "READY"}])
            seen.append(document)
            return self.answer(200, {"outputs": []})

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), MlServerLike)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert answer(predict(image, "--url", f"http://127.0.0.1:{server.server_port}")) == {"outputs": []}
    finally:
        server.shutdown()
        server.server_close()
    (sent,) = seen[0]["inputs"]
    assert (sent["shape"], sent["parameters"]) == ([1, 1], {"content_type": "base64"})
    assert sent["data"][0].startswith("iVBOR")
