"""NOS's models behind the real server, its guide walked through, and its example run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from tests.conformance.server_process import ROOT
from tests.conformance.style_process import Styled

EXAMPLE = ROOT / "runtimes" / "examples" / "07-nos-clip"
RUN_S = 120


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Styled]:
    running = Styled(tmp_path_factory.mktemp("nos"), "nos", str(EXAMPLE))
    try:
        yield running.wait_until_serving()
    finally:
        running.stop()
        running.kill()


def run(script: Path) -> str:
    """Run a script as its author does, `nos` answered by ours."""
    command = [sys.executable, "-m", "modelwright", "run", "--", "python", script.name]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "runtimes")}
    done = subprocess.run(
        command, cwd=script.parent, env=environment, capture_output=True, text=True, timeout=RUN_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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


def test_the_examples_script_encodes_every_frame() -> None:
    said = run(EXAMPLE / "stream.py")
    assert "ModelHandle(name=CLIP, replicas=2" in said
    assert "24 frames encoded" in said


def test_a_plain_class_with_a_generator_streams(tmp_path: Path) -> None:
    (tmp_path / "talker.py").write_text(
        dedent("""
        from typing import Iterator
        class Talker:
            def chat(self, prompt: str, n: int = 2) -> Iterator[str]:
                for number in range(n):
                    yield f"{prompt} {number} "
        """)
    )
    running = Styled(tmp_path, "nos", f"{tmp_path / 'talker.py'}:Talker")
    try:
        running.wait_until_serving()
        inputs = [{"name": "prompt", "datatype": "BYTES", "shape": [1], "data": ["hi"]}]
        reply = running.ask("POST", "/v2/models/Talker.chat/infer_stream", {"inputs": inputs})
        events = [json.loads(line[6:]) for line in reply.body.decode().splitlines() if line.startswith("data: ")]
        assert [event["outputs"][0]["data"] for event in events] == [["hi 0 "], ["hi 1 "]]
        reply = running.ask("POST", "/v1/models/Talker:predict", {"inputs": {"prompt": "hi", "n": 3}})
        assert reply.json == {"predictions": "hi 0 hi 1 hi 2 "}
    finally:
        running.stop()
        running.kill()


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


# NOS's guide to custom models, https://docs.nos.run/docs/guides/running-custom-models.html, block by block: a tiny
# class in the place of transformers' CLIP, batches of arrays in the place of a video file.
DEFINING = """
from typing import Union, List
from PIL import Image

import numpy as np

class CLIP:
    def __init__(self, model_name: str = "openai/clip-vit-base-patch32"):
        self.model_name = model_name

    def encode_image(self, images: Union[Image.Image, np.ndarray, List[Image.Image], List[np.ndarray]]):
        return np.array([np.asarray(image, np.float32).mean() for image in images])

    def encode_text(self, texts: Union[str, List[str]]) -> np.ndarray:
        if isinstance(texts, str):
            texts = [texts]
        return np.array([len(text) for text in texts])
"""
WRAPPING = """
from nos.common import ModelSpec
from nos.manager import ModelManager, ModelHandle

spec = ModelSpec.from_cls(
    CLIP,
    init_args=(),
    init_kwargs={"model_name": "openai/clip-vit-base-patch32"},
)
# The guide has no such line: it calls `manager` below a comment that says to create one.
manager = ModelManager()
handle: ModelHandle = manager.load(spec)
img = Image.new("RGB", (4, 4), (3, 3, 3))
img_embedding = handle.encode_image(images=[img])
txt_embedding = handle.encode_text(texts=["fox jumped over the moon"])
print("wrapped", img_embedding, txt_embedding)
"""
SCALING = """
handle.scale(replicas=4)
print(handle)

def encode_images_imap(images_generator):
    for images in images_generator:
        handle.encode_image.submit(images=images)
        if handle.results.ready():
            yield handle.results.get_next()
    while not handle.results.ready():
        yield handle.results.get_next()

def VideoReader(frames):
    for number in range(frames):
        yield [np.full((4, 4, 3), number, np.uint8)]

images_generator = VideoReader(21)
# The guide passes `images`, a name that it has not; and its loop has a comment for a body.
seen = []
for embedding in encode_images_imap(images_generator=images_generator):
    seen.append(float(embedding[0]))
print("streamed", seen == [float(number) for number in range(21)])
handle.scale(replicas="auto")
print("auto", handle.num_replicas >= 1)
"""
ENVIRONMENT = """
# The guide does not import it.
from nos.common import RuntimeEnv

class CustomModel:
    def __init__(self, model_name: str = "fake_model"):
        import sklearn  # noqa: F401

    def __call__(self, images: Union[np.ndarray, List[np.ndarray]], n: int = 1) -> np.ndarray:
        ...

spec = ModelSpec.from_cls(
    CustomModel,
    init_args=(),
    init_kwargs={"model_name": "fake_model"},
    runtime_env=RuntimeEnv.from_packages(["scikit-learn", "a-package-that-nobody-has"]),
)
try:
    manager.load(spec)
except Exception as error:
    print("environment", error)
"""


def test_the_guide_runs_step_by_step(tmp_path: Path) -> None:
    script = tmp_path / "guide.py"
    script.write_text(DEFINING + WRAPPING + SCALING + ENVIRONMENT)
    said = run(script)
    assert "wrapped [3.] [24]" in said
    assert "ModelHandle(name=CLIP, replicas=4, qsize=8)" in said
    assert "streamed True" in said
    assert "auto True" in said
    assert re.search(r"environment model 'CustomModel' has a runtime_env with .*a-package-that-nobody-has, which", said)


def test_the_guides_file_is_served_too(tmp_path: Path) -> None:
    (tmp_path / "guide.py").write_text(DEFINING + WRAPPING.replace("print(", "manager.evict()\nprint("))
    running = Styled(tmp_path, "nos", str(tmp_path / "guide.py"))
    try:
        running.wait_until_serving()
        reply = running.ask("POST", "/v1/models/CLIP.encode_text:predict", {"instances": [{"texts": "fox"}]})
        assert reply.json == {"predictions": [[3]]}
    finally:
        running.stop()
        running.kill()


def test_the_guide_as_written_is_told_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "guide.py").write_text(DEFINING + WRAPPING.replace("manager = ModelManager()", ""))
    running = Styled(tmp_path, "nos", str(tmp_path / "guide.py"))
    assert running.process.wait(RUN_S) == 2
    assert "write `from nos.manager import manager`, or `manager = ModelManager()`" in running.log
