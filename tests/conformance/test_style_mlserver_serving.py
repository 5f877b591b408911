"""MLServer's authors' folders served by ours: the examples, workers, batching, metrics, and what cannot be served."""

from __future__ import annotations

import concurrent.futures
import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from tests.bench.serving.peers import PEERS
from tests.conformance.grpc_process import until
from tests.conformance.mlserver_servers import Running, genuine_library, ours
from tests.conformance.server_process import ROOT

EXAMPLES = ROOT / "runtimes" / "examples"
Serve = Callable[..., Running]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serve a folder; the server ends with the test."""
    started: list[Running] = []

    def serve(target: Path, *flags: str, **environment: str) -> Running:
        started.append(ours(target, tmp_path, *flags, **environment))
        return started[-1].wait("/v2/health/ready")

    yield serve
    for each in started:
        each.kill()


def example(name: str) -> object:
    return json.loads((EXAMPLES / name / "input.json").read_text())


def author(folder: Path, source: str, **settings: object) -> Path:
    """Write an author's model folder."""
    folder.mkdir()
    (folder / "models.py").write_text(source)
    (folder / "model-settings.json").write_text(json.dumps({"implementation": "models.M", **settings}))
    return folder


def test_the_sum_model(serve: Serve) -> None:
    server = serve(EXAMPLES / "03-sum-model" / "models")
    (output,) = server.ask("POST", "/v2/models/sum-model/infer", example("03-sum-model")).json["outputs"]
    assert (output["name"], output["shape"], output["data"]) == ("total", [1, 3], [11, 22, 33])
    assert 'read "model" as "name"' in server.log.read_text()


def test_the_question_answering_model(serve: Serve) -> None:
    server = serve(EXAMPLES / "04-question-answering")
    asked = example("04-question-answering")
    reply = server.ask("POST", "/v2/models/question-answering/versions/v1/infer", asked).json
    answers, scores = reply["outputs"]
    assert reply["model_version"] == "v1"
    assert answers["data"] == ["Ada Lovelace wrote the first program.", "The engine was designed in 1837."]
    assert [round(each, 2) for each in scores["data"]] == [1, 1]
    least = {"name": "threshold", "shape": [1], "datatype": "FP32", "data": [1.5]}
    (answers, _) = server.ask(
        "POST", "/v2/models/question-answering/infer", {"inputs": [*asked["inputs"], least]}
    ).json["outputs"]
    assert answers["data"] == ["", ""]
    instance = {"questions": "Who wrote it?", "context": "Ada wrote it. Bob read it."}
    (row,) = server.ask("POST", "/v1/models/question-answering:predict", {"instances": [instance]}).json["predictions"]
    assert row["output-0"] == "Ada wrote it."


def test_the_headers_model_over_rest_and_grpc(serve: Serve) -> None:
    server = serve(EXAMPLES / "05-headers")
    reply = server.ask("POST", "/v2/models/headers/infer", example("05-headers"), {"X-Tenant": "acme"})
    assert reply.json["outputs"][0]["data"] == ["hello acme"]
    assert reply.headers["x-served-for"] == "acme"
    request = pb.ModelInferRequest(model_name="headers")
    request.inputs.add(name="x", datatype="INT64", shape=[1]).contents.int64_contents.append(1)
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc}") as channel:
        _, call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer").with_call(
            request.SerializeToString(), timeout=30, metadata=(("x-tenant", "umbrella"),), wait_for_ready=True
        )
    assert ("x-served-for", "umbrella") in call.trailing_metadata()
    assert ("x-served-for", "umbrella") in call.initial_metadata()
    assert server.ask("GET", "/tenants").json == {"acme": 1, "umbrella": 1}
    scraped = server.ask("GET", "/metrics").body.decode()
    assert 'rows_per_request_sum{model_name="headers",model_version=""} 3.0' in scraped


PIDS = """
import os, mlserver
from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.logging import logger
from mlserver.types import InferenceResponse
class M(MLModel):
    async def load(self):
        logger.info("the author's weights are there")
        self.loaded = str(os.getpid())
        return True
    async def predict(self, payload):
        mlserver.log(asked=1)
        output = StringCodec.encode_output("pids", [str(os.getpid()), self.loaded])
        return InferenceResponse(model_name=self.name, outputs=[output])
    async def unload(self):
        print("unloaded in", os.getpid(), flush=True)
        return True
"""
ASK = {"inputs": [{"name": "x", "shape": [1], "datatype": "BOOL", "data": [True]}]}


def test_workers_share_what_was_loaded_and_count_together(serve: Serve, tmp_path: Path) -> None:
    folder = author(tmp_path / "pids", PIDS)
    (folder / "settings.json").write_text(json.dumps({"parallel_workers": 2}))
    server = serve(folder)
    serving, loading = set(), set()
    asked = 0

    def both() -> bool:
        nonlocal asked
        pids = server.ask("POST", "/v2/models/pids/infer", ASK).json["outputs"][0]["data"]
        asked += 1
        serving.add(pids[0])
        loading.add(pids[1])
        return len(serving) == 2

    until(both, 60)
    assert server.log.read_text().count("INFO mlserver the author's weights are there") == 1
    assert len(loading) == 1
    assert not loading & serving
    scraped = server.ask("GET", "/metrics").body.decode()
    assert f'asked_sum{{model_name="pids",model_version=""}} {asked}.0' in scraped
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
    assert set(re.findall(r"unloaded in (\d+)", server.log.read_text())) == serving


COUNTED = """
import os, mlserver
from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceResponse
class M(MLModel):
    async def predict(self, payload):
        mlserver.log(asked=1)
        return InferenceResponse(model_name=self.name, outputs=[StringCodec.encode_output("pid", [str(os.getpid())])])
"""


def test_workers_count_together_with_the_genuine_library_too(serve: Serve, tmp_path: Path) -> None:
    PEERS["mlserver"].install()
    folder = author(tmp_path / "counted", COUNTED)
    (folder / "settings.json").write_text(json.dumps({"parallel_workers": 2}))
    server = serve(folder, **genuine_library(tmp_path))
    asked: list[str] = []

    def both() -> bool:
        reply = server.ask("POST", "/v2/models/counted/infer", ASK).json
        asked.append(reply["outputs"][0]["data"][0])
        return len(set(asked)) == 2

    until(both, 60)
    scraped = server.ask("GET", "/metrics").body.decode()
    assert f'asked_sum{{model_name="counted",model_version=""}} {len(asked)}.0' in scraped
    assert "left out of /metrics" not in server.log.read_text()


ROWS = """
import time
import numpy as np
from mlserver import MLModel
from mlserver.codecs import decode_args
class M(MLModel):
    @decode_args
    async def predict(self, x: np.ndarray) -> np.ndarray:
        time.sleep(0.1)
        return np.full((len(x), 1), len(x))
"""


def test_adaptive_batching(serve: Serve, tmp_path: Path) -> None:
    server = serve(author(tmp_path / "rows", ROWS, max_batch_size=4, max_batch_time=5.0))
    ask = {"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [1]}]}

    def merged() -> bool:
        with concurrent.futures.ThreadPoolExecutor(8) as callers:
            replies = list(callers.map(lambda _: server.ask("POST", "/v2/models/rows/infer", ask).json, range(8)))
        assert all(each["outputs"][0]["shape"] == [1, 1] for each in replies)
        return max(each["outputs"][0]["data"][0] for each in replies) > 1

    until(merged)


BUSY = """
import time
from mlserver import MLModel
from mlserver.types import InferenceResponse
class M(MLModel):
    async def predict(self, payload):
        print("busy", flush=True)
        time.sleep(20)
        return InferenceResponse(model_name=self.name, outputs=[])
"""


def test_health_answers_while_predict_computes(serve: Serve, tmp_path: Path) -> None:
    server = serve(author(tmp_path / "busy", BUSY))
    with concurrent.futures.ThreadPoolExecutor(1) as caller:
        asked = caller.submit(server.ask, "POST", "/v2/models/busy/infer", ASK)
        until(lambda: "busy" in server.log.read_text())
        assert server.ask("GET", "/v2/health/ready").status == 200
        assert not asked.done()
        server.kill()
        assert asked.exception(30) is not None


def test_what_cannot_be_served_names_file_and_field(tmp_path: Path) -> None:
    folder = author(tmp_path / "bad", PIDS, implementation="models.Absent")
    server = ours(folder, tmp_path)
    assert server.process.wait(60) == 2
    said = server.log.read_text()
    assert "model-settings.json: module 'models' has no class 'Absent'; its MLModel classes: M" in said
    assert "Traceback" not in said


def test_a_model_that_never_loads_ends_the_server_with_the_reason(tmp_path: Path) -> None:
    source = "from mlserver import MLModel\nclass M(MLModel):\n    async def load(self):\n        self.weights = 1\n"
    server = ours(author(tmp_path / "never", source), tmp_path)
    assert server.process.wait(60) == 1
    assert "its load() returned None; it must return True" in server.log.read_text()
