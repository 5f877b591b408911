"""NOS's models behind the real server, its guide walked through, and its example run."""

from __future__ import annotations

import http.client
import json
import re
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conformance.server_process import ROOT, Reply
from tests.conformance.style_process import Styled

EXAMPLE = ROOT / "runtimes" / "examples" / "07-nos-clip"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Styled]:
    running = Styled(tmp_path_factory.mktemp("nos"), "nos", str(EXAMPLE))
    try:
        yield running.wait_until_serving()
    finally:
        running.stop()
        running.kill()


def test_the_class_and_each_method_are_models(clip: Styled) -> None:
    assert clip.ask("GET", "/v2/models").json["models"] == ["CLIP", "CLIP.encode_image", "CLIP.encode_text"]
    assert clip.ask("GET", "/v2/models/CLIP.encode_text/ready").status == 200


def test_v1_v2_grpc_and_nos_own_endpoint_answer_alike(clip: Styled) -> None:
    image = json.loads((EXAMPLE / "input.json").read_text())
    url = image["inputs"]["images"][0]
    expected = np.array(clip.ask("POST", "/v1/models/CLIP:predict", image).json["predictions"])
    assert expected.shape == (1, 64)
    tensor = {"name": "images", "datatype": "BYTES", "shape": [1], "data": [url]}
    for model, parameters in (("CLIP.encode_image", {}), ("CLIP", {"method": "encode_image"})):
        reply = clip.ask("POST", f"/v2/models/{model}/infer", {"inputs": [tensor], "parameters": parameters})
        (output,) = reply.json["outputs"]
        assert (output["name"], output["shape"], output["datatype"]) == ("result", [1, 64], "FP32")
        np.testing.assert_allclose(output["data"], expected[0], rtol=1e-5)
    own = clip.ask("POST", "/v1/infer", {"model_id": "CLIP", **image})
    assert own.status == 201
    np.testing.assert_allclose(own.json, expected, rtol=1e-5)
    answer = clip.infer("CLIP.encode_image", images=np.array([url.encode()], dtype=object))
    np.testing.assert_allclose(answer["result"], expected, rtol=1e-5)
    pixels = np.zeros((2, 64, 64, 3), np.uint8)
    assert clip.infer("CLIP", {"method": "encode_image"}, images=pixels)["result"].shape == (2, 64)


def test_wrong_names_are_the_callers(clip: Styled) -> None:
    reply = clip.ask("POST", "/v1/models/CLIP:predict", {"method": "encode_text", "inputs": {"text": "a"}})
    assert (reply.status, reply.json["error"]) == (400, "encode_text has no input 'text'; it takes texts")
    reply = clip.ask("POST", "/v1/models/CLIP:predict", {"method": "encode", "inputs": {"text": "a"}})
    assert "has no method 'encode'; it has encode_image, encode_text" in reply.json["error"]


def test_its_routes_are_described_and_counted(clip: Styled) -> None:
    assert "/v1/infer" in clip.ask("GET", "/openapi.json").json["paths"]
    clip.ask("POST", "/v1/infer", {"model_id": "CLIP", "method": "encode_text", "inputs": {"texts": "a"}})
    metrics = clip.ask("GET", "/metrics").body.decode()
    assert re.search(r'modelwright_requests_total\{[^}]*protocol="own"[^}]*\} [1-9]', metrics), metrics


TALKER = """
from typing import Iterator, List
from PIL import Image

class Talker:
    def chat(self, prompt: str, n: int = 2) -> Iterator[str]:
        for number in range(n):
            yield f"{prompt} {number} "

    def count(self, n: int):
        for number in range(n):
            if number == 3:
                raise LookupError("of the author's")
            yield {"number": number}

    def size(self, images: List[Image.Image]):
        return [[*image.size, image.mode] for image in images]

    def transcribe(self, path: str) -> dict:
        with open(path, "rb") as file:
            return {"bytes": len(file.read()), "suffix": path[-4:], "path": path}
"""


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Styled]:
    folder = tmp_path_factory.mktemp("talker")
    (folder / "talker.py").write_text(TALKER)
    running = Styled(folder, "nos", f"{folder / 'talker.py'}:Talker")
    try:
        yield running.wait_until_serving()
    finally:
        running.stop()
        running.kill()


def test_a_plain_class_with_a_generator_streams(talker: Styled) -> None:
    inputs = [{"name": "prompt", "datatype": "BYTES", "shape": [1], "data": ["hi"]}]
    reply = talker.ask("POST", "/v2/models/Talker.chat/infer_stream", {"inputs": inputs})
    events = [json.loads(line[6:]) for line in reply.body.decode().splitlines() if line.startswith("data: ")]
    assert [event["outputs"][0]["data"] for event in events] == [["hi 0 "], ["hi 1 "]]
    reply = talker.ask("POST", "/v1/models/Talker:predict", {"inputs": {"prompt": "hi", "n": 3}})
    assert reply.json == {"predictions": "hi 0 hi 1 hi 2 "}


def infer(talker: Styled, method: str, **inputs: Any) -> Reply:
    asked = {"model_id": "Talker", "method": method, "stream": True, "inputs": inputs}
    return talker.ask("POST", "/v1/infer", asked)


def test_nos_own_endpoint_streams_pieces_as_they_are(talker: Styled) -> None:
    reply = infer(talker, "chat", prompt="hi", n=3)
    assert (reply.status, reply.body) == (200, b"hi 0 hi 1 hi 2 ")
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert infer(talker, "count", n=2).body == b'{"number":0}\n{"number":1}\n'
    # A method that is no generator gives its one answer.
    assert json.loads(infer(talker, "transcribe", path=__file__).body)["suffix"] == "s.py"
    refused = infer(talker, "chat", prompts="hi")
    assert (refused.status, refused.json["error"]) == (400, "chat has no input 'prompts'; it takes prompt, n")
    missing = infer(talker, "count")
    assert (missing.status, missing.json["error"]) == (400, "input 'n' of count is missing; it takes n")


def test_a_stream_that_breaks_off_is_no_whole_answer(talker: Styled) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        infer(talker, "count", n=9)
    assert "of the author's" in talker.log
    assert infer(talker, "count", n=1).status == 200


def upload(talker: Styled, *fields: tuple[str, str | None, bytes]) -> Reply:
    """Send a form of fields: their names, their files' names, their contents."""
    body = b""
    for name, filename, content in fields:
        more = f'; filename="{filename}"' if filename else ""
        body += (
            f'--b0undary\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + content + b"\r\n"
        )
    headers = {"Content-Type": "multipart/form-data; boundary=b0undary"}
    return talker.ask("POST", "/v1/infer/file", body + b"--b0undary--\r\n", headers)


def test_files_are_uploaded_as_to_nos(talker: Styled) -> None:
    written = BytesIO()
    Image.new("RGBA", (5, 3)).save(written, format="PNG")
    model = ("model_id", None, b"Talker")
    image = ("file", "a.PNG", written.getvalue())
    reply = upload(talker, model, ("method", None, b"size"), image)
    assert (reply.status, reply.json) == (201, [[5, 3, "RGB"]])
    sound = bytes(range(256)) * 50 + b"\r\n--b0und"
    reply = upload(talker, model, ("method", None, b"transcribe"), ("file", "speech.wav", sound))
    assert (reply.status, reply.json["bytes"], reply.json["suffix"]) == (201, len(sound), ".wav")
    assert not Path(reply.json["path"]).exists()


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ([("file", "a.png", b"x")], 422, "no field 'model_id'"),
        ([("model_id", None, b"Talker")], 400, "no 'file'"),
        ([("model_id", None, b"Talker"), ("url", None, b"http://x/a.png")], 400, "'url' is not fetched here"),
        ([("model_id", None, b"Talker"), ("file", "a.exe", b"x")], 400, "its name must end with one of .avi,"),
        ([("model_id", None, b"Talker"), ("file", "a.png", b"")], 400, "is empty"),
        ([("model_id", None, b"other"), ("file", "a.png", b"x")], 400, "'model_id' 'other' is not served here"),
        ([("model_id", None, b"Talker"), ("method", None, b"size"), ("file", "a.png", b"x")], 400, "is no image"),
    ],
)
def test_forms_that_are_wrong_are_the_callers(fields: list[Any], status: int, told: str, talker: Styled) -> None:
    reply = upload(talker, *fields)
    assert reply.status == status
    assert told in reply.json["error"]


def test_serve_yaml_serves_its_models_from_so_many_workers(tmp_path: Path) -> None:
    for name in ("model.py", "clip.npz"):
        shutil.copy(EXAMPLE / name, tmp_path)
    (tmp_path / "serve.yaml").write_text(
        dedent("""
        images:
          custom-cpu: {base: autonomi/nos:latest-cpu, pip: [numpy, pillow]}
        models:
          custom/clip:
            model_cls: CLIP
            model_path: model.py
            default_method: encode_text
            init_kwargs: {weights: clip.npz}
            runtime_env: custom-cpu
            deployment: {num_replicas: 2, resources: {device: cpu}}
        """)
    )
    running = Styled(tmp_path, "nos", str(tmp_path))
    try:
        running.wait_until_serving(workers=2)
        reply = running.ask("POST", "/v1/models/custom--clip:predict", {"instances": ["a fox", ["b", "c"]]})
        assert [len(each) for each in reply.json["predictions"]] == [1, 2]
        reply = running.ask("POST", "/v1/infer", {"model_id": "custom/clip", "inputs": {"texts": "a fox"}})
        assert reply.status == 201
    finally:
        running.stop()
        running.kill()
