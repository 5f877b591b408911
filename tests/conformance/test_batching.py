"""Concurrent callers of one unchanged model file, with batching and without: the same answers by fewer calls."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import pytest
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from tests.conformance.collector import Collector, Received
from tests.conformance.grpc_process import until
from tests.conformance.kserve_servers import MODELS, ROOT, free_port

RUN = [sys.executable, "-m", "modelwright", "run", "--", "python", str(MODELS / "rows.py")]
CALLERS = 32


@dataclass
class Rows:
    """The server of rows.py, run in a folder of its own."""

    folder: Path
    port: int
    grpc_port: int
    batches: bool

    def post(self, path: str, body: object, **headers: str) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("POST", path, json.dumps(body), named)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def infer(self, row: list[float], **headers: str) -> tuple[int, dict]:
        tensor = {"name": "x", "shape": [1, len(row)], "datatype": "FP32", "data": row}
        return self.post("/v2/models/rows/infer", {"id": str(row[0]), "inputs": [tensor]}, **headers)

    def predict(self, row: list[float]) -> tuple[int, dict]:
        return self.post("/v1/models/rows:predict", {"instances": [row]})

    def grpc_infer(self, row: list[float], timeout: float = 60) -> pb.ModelInferResponse:
        tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1, len(row)])
        request = pb.ModelInferRequest(model_name="rows", id=str(row[0]), inputs=[tensor])
        request.raw_input_contents.append(np.array(row, "<f4").tobytes())
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}") as channel:
            call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
            return pb.ModelInferResponse.FromString(call(request.SerializeToString(), timeout=timeout))

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def rows(self) -> list[int]:
        return [int(line.split()[0]) for line in self.calls]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def in_flight(self) -> int:
        """How many requests the server has begun and not yet answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        return sum(
            int(float(line.split()[-1])) for line in lines if "in_flight" in line and 'model_name="rows"' in line
        )


@pytest.fixture(params=["--max_batch_size=64", "--max_batch_size=1"], ids=["batched", "unbatched"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rows]:
    yield from serving(tmp_path, request.param, batches=request.param != "--max_batch_size=1")


@pytest.fixture
def batched(tmp_path: Path) -> Iterator[Rows]:
    yield from serving(tmp_path, "--max_batch_size=64", batches=True)


def serving(folder: Path, *flags: str, batches: bool) -> Iterator[Rows]:
    server = Rows(folder, free_port(), free_port(), batches)
    ports = [f"--http_port={server.port}", f"--grpc_port={server.grpc_port}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*RUN, *ports, *flags], cwd=folder, stdout=log, stderr=log,
            env={**os.environ, "PYTHONPATH": str(ROOT / "runtimes")},
        )  # fmt: skip
    try:

        def up() -> bool:
            assert process.poll() is None, server.log
            try:
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
                connection.request("GET", "/v2/health/ready")
                return connection.getresponse().status == 200
            except OSError:
                return False

        until(up, 60)
        yield server
    finally:
        process.kill()
        process.wait()


def together(server: Rows, *calls: tuple) -> list[Future]:
    """Make calls, each in a thread, that all wait while the model is held in another one, and let it go."""
    hold = server.folder / "hold"
    hold.touch()
    before = len(server.calls)
    pool = ThreadPoolExecutor(len(calls) + 1)
    held = pool.submit(server.infer, [0.5, 0.5], x_tenant="other")
    until(lambda: len(server.calls) > before)
    made = [pool.submit(*call) for call in calls]
    until(lambda: server.in_flight() >= len(calls) + 1)
    hold.unlink()
    assert held.result()[0] == 200
    pool.shutdown()
    return made


def row(number: float) -> list[float]:
    return [float(number), 0.25]


def test_concurrent_callers_get_their_own_answers_by_fewer_calls(server):
    with ThreadPoolExecutor(CALLERS) as pool:
        for number, (status, body) in enumerate(pool.map(server.infer, map(row, range(1, 1 + 4 * CALLERS))), 1):
            assert (status, body["id"], body["outputs"][0]["shape"]) == (200, str(float(number)), [1])
            assert body["outputs"][0]["data"] == [number + 0.25]
    assert sum(server.rows) == 4 * CALLERS
    assert (max(server.rows) > 1) == server.batches


def test_what_waits_for_a_busy_model_shares_calls(batched):
    made = together(batched, *((batched.infer, row(number)) for number in range(1, 1 + CALLERS)))
    assert [each.result()[1]["outputs"][0]["data"] for each in made] == [[n + 0.25] for n in range(1, 1 + CALLERS)]
    assert sum(batched.rows) == 1 + CALLERS
    assert len(batched.calls) < CALLERS / 2


def test_v1_and_grpc_callers_are_batched_too_each_with_their_like(batched):
    v1 = [(batched.predict, row(number)) for number in range(1, 9)]
    over_grpc = [(batched.grpc_infer, row(number)) for number in range(1, 9)]
    made = together(batched, *v1, *over_grpc)
    for number, each in enumerate(made[:8], 1):
        assert each.result() == (200, {"predictions": [number + 0.25]})
    for number, each in enumerate(made[8:], 1):
        answer = each.result()
        assert (answer.id, answer.model_name) == (str(float(number)), "rows")
        assert np.frombuffer(answer.raw_output_contents[0], "<f4").tolist() == [number + 0.25]
    assert sum(batched.rows) == 17
    assert len(batched.calls) < 17


def test_a_bad_row_is_its_own_callers_error(server):
    good = [(server.infer, row(number)) for number in range(1, 5)]
    made = together(server, *good, (server.infer, row(-1)), (server.infer, row(-2)))
    assert [each.result()[1]["outputs"][0]["data"] for each in made[:4]] == [[n + 0.25] for n in range(1, 5)]
    refused, failed = (each.result() for each in made[4:])
    assert refused[0] == 400
    assert "a row must not start with -1" in refused[1]["error"]
    assert failed[0] == 500
    assert "secret" not in json.dumps(failed[1])
    assert "request_id" in failed[1]


def test_ragged_rows_are_answered_all_the_same(server):
    rows = [[float(number)] * length for number in range(1, 4) for length in range(2, 6)]
    made = together(server, *((server.infer, each) for each in rows), *((server.predict, each) for each in rows))
    sums = [[sum(each)] for each in rows]
    assert [each.result()[1]["outputs"][0]["data"] for each in made[: len(rows)]] == sums
    assert [each.result()[1]["predictions"] for each in made[len(rows) :]] == sums


def test_a_caller_that_does_not_wait_long_enough_goes_without_the_others(batched):
    hold = batched.folder / "hold"
    hold.touch()
    with ThreadPoolExecutor(8) as pool:
        held = pool.submit(batched.infer, row(1), x_tenant="other")
        until(lambda: len(batched.calls) == 1)
        patient = pool.submit(batched.infer, row(2))
        status, body = batched.infer(row(3), x_request_timeout="1")
        assert status == 504
        assert "no answer within" in body["error"]
        with pytest.raises(grpc.RpcError) as late:
            batched.grpc_infer(row(4), timeout=1)
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        until(lambda: batched.in_flight() == 2)
        hold.unlink()
        assert held.result()[0] == 200
        assert patient.result()[1]["outputs"][0]["data"] == [2.25]
    assert batched.rows == [1, 1]


def test_a_trace_says_how_many_requests_shared_its_call(tmp_path, monkeypatch):
    with closing(Collector()) as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        traces = [secrets.token_hex(16) for _ in range(8)]
        parents = [f"00-{trace}-{secrets.token_hex(8)}-01" for trace in traces]

        def infer(number: int) -> None:
            assert server.infer(row(number), traceparent=parents[number])[0] == 200

        for server in serving(tmp_path, "--max_batch_size=64", batches=True):
            infer(0)
            for made in together(server, *((infer, number) for number in range(1, 8))):
                made.result()
            spans = [
                collector.wait(trace, lambda spans: {"predict", "POST /v2/models/{model}/infer"} <= names(spans))
                for trace in traces
            ]
            sizes = [
                each.attributes.get("modelwright.batch.size", 1)
                for several in spans
                for each in several
                if each.span.name == "predict"
            ]
            # One that went alone, the one that held the model, which has no trace of its own, and the others' calls.
            first, _, *others = server.rows
            assert sizes[0] == first == 1
            assert sorted(sizes[1:]) == sorted(rows for rows in others for _ in range(rows))
            assert max(sizes) > 1


def names(spans: list[Received]) -> set[str]:
    return {each.span.name for each in spans}


def test_one_callers_credentials_do_not_stand_over_anothers_data(batched):
    calls = [(batched.infer, row(number)) for number in range(1, 5)]

    def as_user(number: int) -> tuple[int, dict]:
        return batched.infer(row(number), authorization=f"Bearer {'ab'[number % 2]}")

    made = together(batched, *((as_user, number) for number in range(1, 5)), *calls)
    assert [each.result()[0] for each in made] == [200] * 8
    seen = Counter()
    for line in batched.calls:
        rows, _, authorization = line.partition(" ")
        seen[authorization] += int(rows)
    assert seen == {"": 5, "Bearer a": 2, "Bearer b": 2}


def test_a_bad_size_is_refused_at_the_start(tmp_path):
    made = subprocess.run(
        [*RUN, "--max_batch_size=0"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT / "runtimes")},
    )  # fmt: skip
    assert made.returncode == 2
    assert "--max_batch_size: '0' is no whole number of at least 1" in made.stderr
