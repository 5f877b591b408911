"""KServe's AlexNet models, REST, gRPC and Ray, on a real torch: the examples, and the blocks of its document."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conformance import torch_packages
from tests.conformance.server_process import Server
from tests.conformance.style_process import Styled
from tests.conformance.torch_packages import EXAMPLES

SEEDS = Path(__file__).with_name("seeds")
# Seconds; torch alone takes ten to import where much else runs, and with Ray three processes do.
PATIENCE = 300
# What the example's photograph gets from torch itself, without a server.
EXPECTED = """
import json, sys
import numpy as np, torch
from torchvision import models
model = models.alexnet(weights=None)
model.load_state_dict(torch.load(sys.argv[1], weights_only=True))
pixels = np.asarray(json.load(open(sys.argv[2]))["instances"][0]["data"])
with torch.inference_mode():
    print(json.dumps(torch.topk(model.eval()(torch.Tensor(pixels).unsqueeze(0)), 5).values.flatten().tolist()))
"""


class Torch:
    """The environment that has torch, the weights, a request, and the scores that it is to get."""

    def __init__(self, folder: Path, packages: Path) -> None:
        hub = folder / "hub" / "checkpoints"
        hub.mkdir(parents=True)
        own = {"MODEL_FOLDER": str(folder), "TORCH_HOME": str(folder)}
        self.environment = {**torch_packages.environment(packages, folder), **own}
        self.run(str(EXAMPLES / "02-alexnet" / "make_weights.py"), str(folder))
        # What `pretrained=True` asks torch's hub for, as if it had been fetched before.
        (hub / "alexnet-owt-7be5be79.pth").symlink_to(folder / "alexnet.pt")
        request = self.run(str(EXAMPLES / "02-alexnet" / "make_input.py"), str(EXAMPLES / "02-alexnet" / "photo.jpg"))
        (folder / "input.json").write_text(request)
        self.request = json.loads(request)
        self.scores = json.loads(self.run("-c", EXPECTED, str(folder / "alexnet.pt"), str(folder / "input.json")))

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **self.environment},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


class Example(Styled):
    """`modelwright serve` of an example, with torch."""

    def __init__(self, folder: Path, target: Path, *flags: str, **environment: str) -> None:
        self._log = folder / "server.log"
        command = [sys.executable, "-m", "modelwright", "serve", str(target), "--grpc_port=0", *flags]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "PORT": "0", **environment}
            )
        self.port = 0

    def wait_until_serving(self, workers: int = 1) -> Server:
        until = time.monotonic() + PATIENCE
        while not re.search(r"serving (?!gRPC).* on port", self.log):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.1)
        return super().wait_until_serving(workers)


Serve = Callable[..., Example]


@pytest.fixture(scope="module")
def torch(tmp_path_factory: pytest.TempPathFactory, uv: str) -> Torch:
    return Torch(tmp_path_factory.mktemp("alexnet"), torch_packages.install(uv))


@pytest.fixture
def serve(tmp_path: Path, torch: Torch) -> Iterator[Serve]:
    started: list[Example] = []

    def serve(target: str | Path, *flags: str, **more: str) -> Example:
        started.append(Example(tmp_path, EXAMPLES / target, *flags, **torch.environment, **more))
        started[-1].wait_until_serving()
        return started[-1]

    yield serve
    for each in started:
        assert each.stop(PATIENCE) == 0, each.log


def predicted(server: Example, torch: Torch) -> list[list[float]]:
    reply = server.ask("POST", "/v1/models/custom-model:predict", torch.request, timeout=PATIENCE)
    assert reply.status == 200, (reply.body, server.log)
    return reply.json["predictions"]


def test_over_rest(serve: Serve, torch: Torch) -> None:
    assert predicted(serve("02-alexnet"), torch) == [pytest.approx(torch.scores, rel=1e-4)]


def test_over_grpc_and_v2(serve: Serve, torch: Torch) -> None:
    server = serve("02-alexnet/model_grpc.py")
    pixels = np.asarray([torch.request["instances"][0]["data"]], np.float32)
    (name, scores), *others = server.infer("custom-model", x=pixels).items()
    assert (name, scores.shape, scores.dtype, others) == ("output-0", (1, 5), np.float32, [])
    assert scores[0].tolist() == pytest.approx(torch.scores, rel=1e-4)
    tensor = {"name": "x", "datatype": "FP32", "shape": pixels.shape, "data": pixels.ravel().tolist()}
    reply = server.ask("POST", "/v2/models/custom-model/infer", {"inputs": [tensor]}, timeout=PATIENCE)
    assert reply.json["outputs"][0]["data"] == pytest.approx(torch.scores, rel=1e-4)


def mended(folder: Path, block: str, torch: Torch, name: str = "model.py") -> Path:
    """A block of KServe's document as it stands, but for what `modelwright doctor --fix` mends in it."""
    folder.mkdir()
    (folder / name).write_text((SEEDS / block).read_text())
    (folder / "Procfile").write_text(f"web: python -m {Path(name).stem}\n")
    command = [sys.executable, "-m", "modelwright", "doctor", str(folder), "--fix"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **torch.environment})
    assert "+from kserve.utils.utils import generate_uuid" in done.stderr, (done.stdout, done.stderr)
    return folder


def test_the_document_s_rest_model_and_its_curl(serve: Serve, torch: Torch, tmp_path: Path) -> None:
    flags = ("--max_asyncio_workers=8", "--enable_latency_logging=true", "--workers=2")
    server = serve(mended(tmp_path / "custom", "kserve_rest.py", torch), *flags)
    url = f"http://127.0.0.1:{server.port}/v1/models/custom-model:predict"
    data = f"@{torch.environment['MODEL_FOLDER']}/input.json"
    done = subprocess.run(["curl", "-v", "-s", url, "-d", data], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == {"predictions": pytest.approx(torch.scores, rel=1e-4)}, done.stderr
    assert "Content-Type: application/x-www-form-urlencoded" in done.stderr
    assert "predict_ms" in server.log


def test_the_document_s_grpc_model(serve: Serve, torch: Torch, tmp_path: Path) -> None:
    server = serve(mended(tmp_path / "custom", "kserve_grpc.py", torch))
    pixels = np.asarray([torch.request["instances"][0]["data"]], np.float32)
    assert server.infer("custom-model", x=pixels)["output-0"][0].tolist() == pytest.approx(torch.scores, rel=1e-4)


def test_on_ray(serve: Serve, torch: Torch) -> None:
    # Sockets are in it, whose paths may have 107 characters.
    folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")
    try:
        own = {"RAY_TMPDIR": folder, "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
        server = serve("11-alexnet-ray", **own)
        assert predicted(server, torch) == [pytest.approx(torch.scores, rel=1e-4)]
        assert server.stop(PATIENCE) == 0, server.log
    finally:
        shutil.rmtree(folder, ignore_errors=True)
