"""A transformer without `predict` calls its predictor: V1, V2 and gRPC, with the headers that it may pass on."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modelwright import errors
from modelwright.styles.kserve.adapter import KServeModel
from modelwright.styles.kserve.twins.model import Model
from modelwright.styles.kserve.twins.predictor_config import PredictorConfig
from modelwright.tensors import InferenceRequest, Tensor

from tests.conformance.kserve_servers import Server, free_port, start

HEADERS = {"host": "here", "authorization": "Bearer t", "cookie": "c", "x-request-id": "r"}


class Transformer(Model):
    async def preprocess(self, payload: Any, headers: Any = None) -> Any:
        if isinstance(payload, dict):
            return {"instances": [[value + 1 for value in row] for row in payload["instances"]]}
        return payload

    def postprocess(self, result: Any, headers: Any = None) -> Any:
        return {**result, "post": True} if isinstance(result, dict) else result


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    port = free_port()
    server = start(tmp_path_factory.mktemp("predictor"), "predictor", f"--grpc_port={port}", kserve="twin")
    server.description["grpc_port"] = port
    yield server
    server.stop()


def transformer(port: int, protocol: str) -> KServeModel:
    return KServeModel(Transformer("p", PredictorConfig(f"127.0.0.1:{port}", protocol)))


def request(**more: Any) -> InferenceRequest:
    data = np.array([[1.5, 2.0]], dtype="<f4")
    return InferenceRequest("p", [Tensor("x", "FP32", (1, 2), data)], id="7", headers=HEADERS, **more)


async def test_v1(predictor: Server) -> None:
    answer = await transformer(predictor.port, "v1").predict_v1({"instances": [[1, 2]]}, HEADERS)
    assert answer.result == {"predictions": [[2, 3]], "seen": ["authorization", "x-request-id"], "post": True}


@pytest.mark.parametrize("protocol", ["v2", "grpc-v2"])
async def test_v2(predictor: Server, protocol: str) -> None:
    port = predictor.description["grpc_port"] if protocol == "grpc-v2" else predictor.port
    answer = await transformer(port, protocol).infer(request())
    assert [(out.name, out.data.tolist()) for out in answer.outputs] == [
        ("y", [[3.0, 4.0]]),
        ("seen", [b"authorization", b"x-request-id"]),
    ]
    assert answer.id == "7"


async def test_the_predictor_s_refusal_keeps_its_status_and_words(predictor: Server) -> None:
    with pytest.raises(errors.InvalidInput, match="nothing to predict"):
        await transformer(predictor.port, "v1").predict_v1({"instances": []}, HEADERS)


@pytest.mark.parametrize("protocol", ["v1", "v2", "grpc-v2"])
async def test_a_predictor_that_is_not_there_is_a_503(protocol: str) -> None:
    model = transformer(free_port(), protocol)
    with pytest.raises(errors.ModelNotReady, match="predictor"):
        await model.infer(request())


async def test_an_unknown_model_of_the_predictor_is_a_404(predictor: Server) -> None:
    model = KServeModel(
        Transformer("other", PredictorConfig(f"127.0.0.1:{predictor.description['grpc_port']}", "grpc-v2"))
    )
    asked = request()
    asked.model_name = "other"
    with pytest.raises(errors.ModelNotFound, match="other"):
        await model.infer(asked)


@pytest.mark.parametrize("protocol", ["v1", "v2", "grpc-v2"])
def test_readiness_asks_the_predictor_too_where_it_is_told_to(tmp_path: Path, protocol: str) -> None:
    port = free_port()
    predictor = start(tmp_path, "predictor", f"--grpc_port={port}", kserve="twin")
    asked = port if protocol == "grpc-v2" else predictor.port
    arguments = [f"--predictor_host=127.0.0.1:{asked}", f"--predictor_protocol={protocol}"]
    # Its start waits for readiness, and so for the predictor's word.
    server = start(
        tmp_path, "transformer", *arguments, "--enable_predictor_health_check", "--enable_grpc=false", kserve="twin"
    )
    try:
        assert [server.ask(path)[0] for path in ("/v2/health/live", "/v2/models/p/ready")] == [200, 200]
        predictor.stop()
        wait_until(lambda: server.ask("/v2/health/ready")[0] == 503)
        assert [server.ask(path)[0] for path in ("/v2/health/live", "/v2/models/p/ready")] == [200, 503]
        assert "the predictor of 'p' is not ready: it cannot be reached" in server.log.read_text()
    finally:
        assert server.stop() == 0


def test_readiness_does_not_ask_the_predictor_unless_it_is_told_to(tmp_path: Path) -> None:
    server = start(
        tmp_path, "transformer", f"--predictor_host=127.0.0.1:{free_port()}", "--enable_grpc=false", kserve="twin"
    )
    try:
        assert server.ask("/v2/health/ready")[0] == 200
    finally:
        assert server.stop() == 0


def wait_until(holds: Callable[[], bool], patience: float = 60) -> None:
    until = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < until, "it did not come to hold"
        time.sleep(0.1)
