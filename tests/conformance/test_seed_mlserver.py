"""MLServer's document on custom runtimes, walked step by step: its code blocks as they stand, and their mistakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from tests.conformance.mlserver_servers import Running, ours
from tests.conformance.server_process import ROOT

SEEDS = Path(__file__).with_name("seeds")
# "TODO: Replace for custom logic".
CUSTOM = """
class _Lengths:
    def predict(self, questions, context):
        return np.array([[len(q), len(c)] for q, c in zip(questions, context)])

def load_my_custom_model():
    return _Lengths()
"""
# As the document has it: MLServer itself calls the field `name`.
SETTINGS = """{
    "model": "sum-model",
    "implementation": "models.MyCustomRuntime"
}
"""
Serve = Callable[[Path], Running]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    started: list[Running] = []

    def serve(folder: Path) -> Running:
        started.append(ours(folder, tmp_path))
        return started[-1].wait("/v2/health/ready")

    yield serve
    for each in started:
        each.kill()


def model_folder(root: Path, source: str, settings: str) -> Path:
    """The document's layout: models/sum-model with model-settings.json and models.py."""
    folder = root / "models" / "sum-model"
    folder.mkdir(parents=True)
    (folder / "models.py").write_text(source)
    (folder / "model-settings.json").write_text(settings)
    return folder


def doctor(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "modelwright", "doctor", str(folder), "--format=json", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "runtimes")}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join(each["what"] for each in json.loads(done.stdout)["findings"])


def tensor(name: str, *texts: str) -> dict[str, object]:
    return {"name": name, "datatype": "BYTES", "shape": [len(texts)], "data": list(texts)}


def test_the_simplified_interface(serve: Serve, tmp_path: Path) -> None:
    block = (SEEDS / "mlserver_decode_args.py").read_text()
    folder = model_folder(tmp_path, block + CUSTOM, SETTINGS)
    found = doctor(folder)
    assert found.returncode == 1
    assert "np is used and nowhere defined or imported" in said(found)
    assert '"model"' in said(found) or "'model'" in said(found)
    mended = doctor(folder, "--fix")
    assert "import numpy as np" in mended.stderr
    assert json.loads((folder / "model-settings.json").read_text())["name"] == "sum-model"
    # What is left to the author's own judgement is served all the same, and so is the document's own spelling.
    (folder / "model-settings.json").write_text(SETTINGS)
    server = serve(tmp_path / "models")
    assert 'read "model" as "name"' in server.log.read_text()
    asked = {"inputs": [tensor("questions", "who?", "why?"), tensor("context", "me", "so")]}
    (output,) = server.ask("POST", "/v2/models/sum-model/infer", asked).json["outputs"]
    assert (output["shape"], output["data"]) == ([2, 2], [4, 2, 4, 2])
    missing = server.ask("POST", "/v2/models/sum-model/infer", {"inputs": asked["inputs"][:1]})
    assert (missing.status, "context" in missing.json["error"]) == (400, True)
    rows = {"instances": [{"questions": "who?", "context": "me"}]}
    assert server.ask("POST", "/v1/models/sum-model:predict", rows).json == {"predictions": [[4, 2]]}


def test_headers_in_and_out(serve: Serve, tmp_path: Path) -> None:
    block = (SEEDS / "mlserver_headers.py").read_text()
    folder = model_folder(tmp_path, block, SETTINGS.replace("MyCustomRuntime", "CustomHeadersRuntime"))
    asked = {"inputs": [tensor("x", "a")], "parameters": {"headers": {"x-tenant": "forged"}}}
    server = serve(tmp_path / "models")
    assert server.ask("POST", "/v2/models/sum-model/infer", asked).status == 500
    assert "did you mean 'parameters'" in server.log.read_text()
    server.kill()

    found = said(doctor(folder))
    assert "parametes" in found
    assert "Parameters is used and nowhere defined or imported" in found
    doctor(folder, "--fix")
    server = serve(tmp_path / "models")
    reply = server.ask("POST", "/v2/models/sum-model/infer", asked, {"X-Tenant": "acme"})
    assert (reply.status, reply.headers["foo"], reply.json["outputs"]) == (200, "bar", [])
    assert "'x-tenant': 'acme'" in server.log.read_text()
    request = pb.ModelInferRequest(model_name="sum-model")
    request.inputs.add(name="x", datatype="INT64", shape=[1]).contents.int64_contents.append(1)
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc}") as channel:
        _, call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer").with_call(
            request.SerializeToString(), timeout=60, metadata=(("x-tenant", "umbrella"),), wait_for_ready=True
        )
    assert ("foo", "bar") in call.trailing_metadata()
    assert "'x-tenant': 'umbrella'" in server.log.read_text()
