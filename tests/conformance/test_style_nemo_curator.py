"""NeMo Curator models behind the real server: the example, and the tutorial's own model.

torch and transformers, which the tutorial's model imports, are small stand-ins over numpy: `curator_models/standins`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conformance.server_process import ROOT
from tests.conformance.style_process import Styled

EXAMPLE = ROOT / "runtimes" / "examples" / "08-curator-cradio"
MODELS = ROOT / "tests" / "conformance" / "curator_models"
STANDINS = os.pathsep.join([str(ROOT / "runtimes"), str(MODELS / "standins")])


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's folder with its weights made, as its README says."""
    folder = tmp_path_factory.mktemp("example") / "cradio"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    subprocess.run([sys.executable, "make_weights.py"], cwd=folder, check=True, timeout=120)
    return folder


@pytest.fixture(scope="module")
def cradio(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Styled]:
    """The example, its weights fetched from a folder."""
    log = tmp_path_factory.mktemp("cradio")
    running = Styled(
        log, "nemo_curator", str(example), "--workers=1",
        MODELWRIGHT_WEIGHTS_URI=f"file://{example}/weights", MODELWRIGHT_WEIGHTS_DIR=str(log / "weights"),
    )  # fmt: skip
    try:
        yield running.wait_until_serving()
    finally:
        running.stop()
        running.kill()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Styled]]:
    """Serve files or folders of a test's own, with the stand-ins at hand."""
    started: list[Styled] = []

    def serve(target: Path, *flags: str, **environment: str) -> Styled:
        folder = tmp_path / f"server-{len(started)}"
        folder.mkdir()
        weights = {"MODELWRIGHT_WEIGHTS_DIR": str(tmp_path / "weights"), **environment}
        started.append(Styled(folder, "nemo_curator", str(target), *flags, PYTHONPATH=STANDINS, **weights))
        return started[-1]

    yield serve
    for each in started:
        each.kill()


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, 3, 64, 64), np.uint8)


def expected(example: Path, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute with the example's own module, apart from any server."""
    script = (
        "import sys, numpy as np; from pathlib import Path; from vision import VisionTransformer\n"
        "images = np.load(sys.argv[1]).astype(np.float32) / 255\n"
        "model = VisionTransformer(Path('weights/nvidia/C-RADIO/model.npz'), 64)\n"
        "summary, features = model(images); np.savez(sys.argv[2], summary=summary, features=features)"
    )
    np.save(example / "images.npy", images)
    words = [sys.executable, "-c", script, "images.npy", "expected.npz"]
    subprocess.run(words, cwd=example, check=True, timeout=120)
    made = np.load(example / "expected.npz")
    return made["summary"], made["features"]


def test_v1_v2_and_grpc_answer_alike(cradio: Styled, example: Path) -> None:
    images = pictures(2)
    summary, features = expected(example, images)
    rows = cradio.ask("POST", "/v1/models/CRadio:predict", {"instances": images.tolist()}, timeout=40).json[
        "predictions"
    ]
    np.testing.assert_allclose([row["summary"] for row in rows], summary, rtol=1e-4)
    np.testing.assert_allclose([row["features"] for row in rows], features, rtol=1e-4, atol=1e-5)
    tensor = {"name": "images", "datatype": "UINT8", "shape": [2, 3, 64, 64], "data": images.ravel().tolist()}
    reply = cradio.ask("POST", "/v2/models/CRadio/infer", {"inputs": [tensor]}, timeout=40).json
    assert [(each["name"], each["shape"]) for each in reply["outputs"]] == [
        ("summary", [2, 64]),
        ("features", [2, 16, 32]),
    ]
    np.testing.assert_allclose(np.reshape(reply["outputs"][0]["data"], (2, 64)), summary, rtol=1e-4)
    answer = cradio.infer("CRadio", images=images)
    np.testing.assert_allclose(answer["summary"], summary, rtol=1e-5)
    np.testing.assert_allclose(answer["features"], features, rtol=1e-4, atol=1e-5)


def test_the_settings_are_the_metadata_and_what_requests_are_held_against(cradio: Styled) -> None:
    described = cradio.ask("GET", "/v2/models/CRadio").json
    assert described["inputs"] == [{"name": "images", "datatype": "UINT8", "shape": [-1, 3, 64, 64]}]
    assert [each["name"] for each in described["outputs"]] == ["summary", "features"]
    tensor = {"name": "images", "datatype": "FP32", "shape": [1], "data": [1]}
    reply = cradio.ask("POST", "/v2/models/CRadio/infer", {"inputs": [tensor]})
    assert (reply.status, reply.json["error"]) == (400, "input 'images' has datatype FP32; expected UINT8")
    reply = cradio.ask("POST", "/v1/models/CRadio:predict", {"instances": [[[[256]]]]})
    assert (reply.status, "0 to 255" in reply.json["error"]) == (400, True)


def test_weights_were_fetched_before_setup_and_the_log_says_how_far(cradio: Styled) -> None:
    assert "fetched" in cradio.log
    assert "(100%)" in cradio.log
    assert cradio.ask("GET", "/v2/health/ready").status == 200


def test_a_server_that_starts_again_fetches_nothing(
    example: Path, tmp_path: Path, serve: Callable[..., Styled]
) -> None:
    source = tmp_path / "source"
    shutil.copytree(example / "weights", source)
    first = serve(example, MODELWRIGHT_WEIGHTS_URI=f"file://{source}").wait_until_serving()
    assert "fetched" in first.log
    assert first.stop() == 0
    shutil.rmtree(source)
    second = serve(example, MODELWRIGHT_WEIGHTS_URI=f"file://{source}").wait_until_serving()
    assert "fetched" not in second.log


def test_workers_share_what_was_loaded(example: Path, serve: Callable[..., Styled]) -> None:
    server = serve(example, "--workers=2", MODELWRIGHT_WEIGHTS_DIR=str(example / "weights")).wait_until_serving(2)
    body: dict[str, Any] = {"instances": pictures(1).tolist()}
    for _ in range(4):
        assert server.ask("POST", "/v1/models/CRadio:predict", body, timeout=40).status == 200


def test_the_tutorials_model_runs_with_its_two_names_for_one_environment(
    tmp_path: Path, serve: Callable[..., Styled]
) -> None:
    folder = tmp_path / "weights" / "nvidia" / "C-RADIO"
    folder.mkdir(parents=True)
    np.save(folder / "model.npy", np.float32([1, 2, 4]))
    server = serve(MODELS / "my_model.py").wait_until_serving()
    assert "guarded for 'my_env' were made, though the class names the environment 'video_splitting'" in server.log
    images = np.uint8([255, 0, 51]).reshape(1, 3, 1, 1)
    reply = server.ask("POST", "/v1/models/CRadio:predict", {"instances": images.tolist()})
    np.testing.assert_allclose(reply.json["predictions"], [[1, 0, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(server.infer("CRadio", images=images)["output-0"], [[1, 0, 0.8]], rtol=1e-6)


@pytest.mark.parametrize(
    ("target", "environment", "said"),
    [
        (
            MODELS / "my_model.py",
            {"MODELWRIGHT_WEIGHTS_URI": "file:///nowhere"},
            "/nowhere/nvidia/C-RADIO does not exist",
        ),
        (MODELS / "my_model.py", {"PYTHONPATH": str(ROOT / "runtimes")}, "imports torch, which is not installed"),
    ],
)
def test_what_stops_the_start_is_told(target: Path, environment: dict[str, str], said: str, tmp_path: Path) -> None:
    server = Styled(
        tmp_path, "nemo_curator", str(target),
        **{"PYTHONPATH": STANDINS, "MODELWRIGHT_WEIGHTS_DIR": str(tmp_path / "weights"), **environment},
    )  # fmt: skip
    try:
        assert server.process.wait(60) in (1, 2)
    finally:
        server.kill()
    assert said in server.log.splitlines()[-1]


def test_a_described_environment_is_made_and_weights_still_come_by_the_servers_clients(
    tmp_path: Path, serve: Callable[..., Styled], uv: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(MODELS / "roman", folder)
    source = tmp_path / "source" / "acme" / "offset"
    source.mkdir(parents=True)
    np.save(source / "offset.npy", np.int64(5))
    server = serve(
        folder, UV=uv, MODELWRIGHT_ENVIRONMENTS=str(tmp_path / "environments"),
        MODELWRIGHT_WEIGHTS_URI=f"file://{tmp_path}/source",
    )  # fmt: skip
    until = time.monotonic() + 120
    while "serving Roman" not in server.log:
        assert server.process.poll() is None and time.monotonic() < until, server.log
        time.sleep(0.05)
    server.wait_until_serving()
    reply = server.ask("POST", "/v1/models/Roman:predict", {"instances": [1, 4]}, timeout=60)
    assert reply.json == {"predictions": ["VI", "IX"]}
    tensor = {"name": "numbers", "datatype": "INT64", "shape": [1], "data": [2]}
    reply = server.ask("POST", "/v2/models/Roman/infer", {"inputs": [tensor]}, timeout=60)
    assert reply.json["outputs"][0]["data"] == ["VII"]
    assert server.ask("GET", "/v2/models/Roman").json["inputs"][0]["name"] == "numbers"
    assert server.ask("POST", "/v1/models/Roman:predict", {"instances": ["x"]}, timeout=60).status == 400


GPUS = """
import numpy as np
import numpy.typing as npt
from nemo_curator.models.base import ModelInterface

class Half(ModelInterface):
    model_id_names = []
    num_gpus = 0.5

    def setup(self) -> None:
        pass

    def __call__(self, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return x
"""


def test_the_contract_has_what_num_gpus_asks_of_kubernetes(tmp_path: Path) -> None:
    (tmp_path / "half.py").write_text(GPUS)
    done = subprocess.run(
        [sys.executable, "-m", "modelwright", "contract", str(tmp_path / "half.py")],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT / "runtimes")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (half,) = json.loads(done.stdout)["models"]
    assert half["parameters"] == {"num_gpus": 0.5}
    assert half["resources"] == {"limits": {"nvidia.com/gpu": "1"}}
