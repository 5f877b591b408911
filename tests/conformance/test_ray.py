"""Replicas on a real Ray, which each test process starts and ends: Ray Serve's deployments, and `--replicas`."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from tests.conformance import kserve_servers
from tests.conformance.server_process import ROOT, Server

# Seconds; Ray takes about ten to start on an idle machine.
PATIENCE = 180


@pytest.fixture(scope="module")
def ray_folder() -> Iterator[str]:
    # Sockets are in it, whose paths may have 107 characters.
    with pytest.MonkeyPatch.context() as patch:
        folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")
        patch.setenv("RAY_TMPDIR", folder)
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.delenv("RAY_ADDRESS", raising=False)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


def eventually(true: Callable[[], bool], said: Callable[[], str]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, said()
        time.sleep(0.1)


def processes_of(folder: str) -> list[str]:
    """Ray's own processes name their session's folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = each.read_bytes()
        except OSError:
            continue
        if folder.encode() in command:
            found.append(command.decode(errors="replace"))
    return found


@pytest.fixture(scope="module")
def deployed(ray_folder: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kserve_servers.Server]:
    folder = tmp_path_factory.mktemp("ray")
    grpc_port = kserve_servers.free_port()
    server = kserve_servers.start(
        folder, "model_remote", f"--grpc_port={grpc_port}", "--workers=2", kserve="twin", patience=PATIENCE
    )
    server.description = {"grpc_port": grpc_port}
    yield server
    assert server.stop() == 0, server.log.read_text()
    eventually(lambda: not processes_of(ray_folder), lambda: f"still there: {processes_of(ray_folder)}")


def ask(server: kserve_servers.Server, data: object, model: str = "custom-model", verb: str = "predict"):
    body = json.dumps({"instances": [{"data": data}]}).encode()
    # Ray Serve holds a call until a replica runs again.
    status, _, answer = server.ask(f"/v1/models/{model}:{verb}", body, timeout=PATIENCE)
    return status, json.loads(answer)


def test_a_deployment_answers_over_v1_and_explains(deployed: kserve_servers.Server) -> None:
    expected = np.sort(np.float32([1, 2]) @ np.linspace(0, 1, 10, dtype=np.float32).reshape(2, 5))[::-1]
    status, answer = ask(deployed, [1, 2])
    assert (status, answer["predictions"][0]) == (200, pytest.approx(expected.tolist(), abs=1e-6))
    assert ask(deployed, [], verb="explain") == (200, {"explanations": [[2, 5]]})


def test_each_replica_is_a_process_of_its_own(deployed: kserve_servers.Server) -> None:
    seen: set[int] = set()

    def both() -> bool:
        seen.update(ask(deployed, "who")[1]["predictions"])
        return len(seen) == 2

    eventually(both, lambda: f"only {seen}")
    assert deployed.process.pid not in seen
    assert "--workers and --replicas have no effect: Ray Serve runs a model" in deployed.log.read_text()


def test_a_large_tensor_travels_in_shared_memory_over_rest_and_grpc(deployed: kserve_servers.Server) -> None:
    given = np.ones((3, 224, 224), np.float32)
    request = pb.ModelInferRequest(model_name="custom-model", raw_input_contents=[given.tobytes()])
    request.inputs.add(name="x", datatype="FP32", shape=given.shape)
    with grpc.insecure_channel(f"127.0.0.1:{deployed.description['grpc_port']}") as channel:
        answered = channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=pb.ModelInferRequest.SerializeToString,
            response_deserializer=pb.ModelInferResponse.FromString,
        )(request, timeout=60, wait_for_ready=True)
    assert answered.parameters["shared"].bool_param is True
    body = {"inputs": [{"name": "x", "shape": [3, 224, 224], "datatype": "FP32", "data": given.ravel().tolist()}]}
    status, _, answer = deployed.ask("/v2/models/custom-model/infer", json.dumps(body).encode())
    read = json.loads(answer)
    assert (status, read["outputs"][0]["data"], read["parameters"]) == (200, [150528.0], {"shared": True})


def test_a_refusal_is_the_author_s_and_a_mistake_is_500_with_its_traceback_in_the_log(
    deployed: kserve_servers.Server,
) -> None:
    assert ask(deployed, "wrong") == (400, {"error": "data must be numbers"})
    status, answer = ask(deployed, "mistake")
    assert status == 500
    assert "log has the reason" in answer["error"]
    assert 'KeyError: "the author\'s own"' in deployed.log.read_text()


def test_a_model_that_its_constructor_does_not_load_is_loaded_in_its_replica(deployed: kserve_servers.Server) -> None:
    status, _, answer = deployed.ask("/v2/models/loaded")
    assert json.loads(answer)["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1]}]
    body = {"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]}]}
    status, _, answer = deployed.ask("/v2/models/loaded/infer", json.dumps(body).encode())
    assert (status, json.loads(answer)["outputs"][0]["data"]) == (200, [3, 6])


def test_a_handle_of_the_author_s_own_deployment_is_served(deployed: kserve_servers.Server) -> None:
    assert ask(deployed, [1, 2], model="handled") == ask(deployed, [1, 2])


def spoken(deployed: kserve_servers.Server, tail: str, *words: str):
    tensor = {"name": "words", "datatype": "BYTES", "shape": [len(words)], "data": list(words)}
    body = json.dumps({"inputs": [tensor]}).encode()
    status, headers, answer = deployed.ask(f"/v2/models/spoken/{tail}", body, timeout=PATIENCE)
    return status, headers, answer.decode()


def test_a_deployment_that_yields_streams(deployed: kserve_servers.Server) -> None:
    status, headers, answer = spoken(deployed, "infer_stream", "a", "b", "c")
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/event-stream"), answer
    pieces = [json.loads(line.removeprefix("data: ")) for line in answer.splitlines() if line]
    assert [each["outputs"][0]["data"] for each in pieces] == [["a!"], ["b!"], ["c!"]]
    status, _, answer = spoken(deployed, "infer", "alone")
    assert (status, json.loads(answer)["outputs"][0]["data"]) == (200, ["alone!"])
    status, _, answer = spoken(deployed, "infer", "a", "b")
    assert (status, "ask for infer_stream" in answer) == (400, True), answer
    assert spoken(deployed, "infer", "wrong")[::2] == (400, '{"error":"no such word"}')


def test_a_replica_that_dies_before_its_first_piece_is_tried_once_more_and_then_told_of(
    deployed: kserve_servers.Server,
) -> None:
    status, _, answer = spoken(deployed, "infer", "die")
    assert (status, "2 replicas of model 'spoken' died" in answer) == (503, True), answer
    eventually(lambda: spoken(deployed, "infer", "well")[0] == 200, deployed.log.read_text)


def test_openai_requests_to_a_deployment(deployed: kserve_servers.Server) -> None:
    def chat(**more: object) -> tuple[int, str]:
        body = {"model": "spoken", "messages": [{"role": "user", "content": "hello there"}], **more}
        status, _, answer = deployed.ask("/openai/v1/chat/completions", json.dumps(body).encode(), timeout=PATIENCE)
        return status, answer.decode()

    # The replica that the test before has killed may still be on its way back.
    eventually(lambda: chat()[0] != 503, deployed.log.read_text)
    status, answer = chat()
    assert status == 200, answer
    assert json.loads(answer)["choices"][0]["message"]["content"] == "HELLO THERE"
    status, answer = chat(stream=True)
    assert status == 200, answer
    lines = [line.removeprefix("data: ") for line in answer.splitlines() if line]
    assert lines[-1] == "[DONE]"
    assert [json.loads(each)["choices"][0]["delta"]["content"] for each in lines[:-1]] == ["HELLO", "THERE"]
    body = {"model": "loaded", "messages": []}
    assert deployed.ask("/openai/v1/chat/completions", json.dumps(body).encode())[0] in {400, 404, 501}


def test_a_call_whose_replica_dies_is_made_once_more(deployed: kserve_servers.Server, tmp_path: Path) -> None:
    marker = tmp_path / "died"
    status, answer = ask(deployed, f"once {marker}")
    assert (status, marker.exists()) == (200, True), answer
    assert "a replica of model 'custom-model' died while it answered" in deployed.log.read_text()


def test_a_call_that_kills_every_replica_is_answered_503_and_they_come_back(
    deployed: kserve_servers.Server, tmp_path: Path
) -> None:
    status, answer = ask(deployed, f"die {tmp_path / 'died'}")
    assert (status, answer) == (
        503,
        {"error": "2 replicas of model 'custom-model' died while they answered this request"},
    )

    eventually(lambda: ask(deployed, "who")[0] == 200, deployed.log.read_text)
    eventually(lambda: deployed.ask("/v2/health/ready")[0] == 200, deployed.log.read_text)


@pytest.fixture(scope="module")
def replicated(deployed: kserve_servers.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose replicas run on the Ray that another one has started."""
    (address,) = re.findall(r"Ray is at (\S+)", deployed.log.read_text())
    folder = tmp_path_factory.mktemp("replicas")
    # Ray tells by the mode whether to show the token.
    server = Server(folder, "--replicas=2", f"--ray_address={address}", RAY_AUTH_MODE="token")
    eventually(lambda: "serving sum" in server.log or server.process.poll() is not None, lambda: server.log)
    yield server.wait_until_serving()
    assert server.stop() == 0, server.log
    eventually(lambda: deployed.ask("/v2/health/ready")[0] == 200, deployed.log.read_text)


def pids(server: Server) -> set[int]:
    """The processes that two calls at one time are answered by."""
    answers: list[int] = []
    callers = [threading.Thread(target=lambda: answers.append(server.predict(wait=0.3).json["pid"])) for _ in range(4)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    return set(answers)


def test_replicas_answer_as_the_model_in_the_server_would(replicated: Server) -> None:
    body = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}
    assert replicated.ask("POST", "/v2/models/sum/infer", body).json["outputs"][0]["data"] == [10]
    assert replicated.ask("GET", "/v2/models/sum").json["inputs"][0]["shape"] == [-1, 4]
    answer = replicated.predict()
    assert (answer.status, answer.headers["x-model"], answer.json["predictions"]) == (200, "sum", [3])
    assert replicated.ask("POST", "/v1/models/sum:explain", {"instances": []}).json == {"explanations": ["because"]}
    assert replicated.predict(**{"raise": "x"}).status == 500
    assert "RuntimeError: cannot read" in replicated.log


def test_a_killed_replica_s_call_is_made_again_and_it_is_replaced(replicated: Server) -> None:
    eventually(lambda: len(pids(replicated)) == 2, lambda: replicated.log)
    before = pids(replicated)
    assert replicated.process.pid not in before
    answers: list[int] = []
    callers = [threading.Thread(target=lambda: answers.append(replicated.predict(wait=2).status)) for _ in range(2)]
    for each in callers:
        each.start()
    in_flight = 'modelwright_requests_in_flight{model_name="sum"} 2'
    eventually(lambda: in_flight in replicated.ask("GET", "/metrics").body.decode(), lambda: replicated.log)
    killed = before.pop()
    os.kill(killed, signal.SIGKILL)
    for each in callers:
        each.join()
    assert answers == [200, 200], replicated.log
    eventually(lambda: len(now := pids(replicated)) == 2 and killed not in now, lambda: replicated.log)


def test_replicas_of_an_object(ray_folder: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.conformance.ray_replicas", str(tmp_path)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'runtimes'}"},
        capture_output=True, timeout=2 * PATIENCE, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # What replicas print comes through Ray to the same place.
    known = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert known == {
        "pids": 3,
        "add": [1e6, False, False],
        "on": 1,
        "refuse": ["OwnError", "not this", "raised in a replica:\n"],
        "unsendable": ["TypeError"],
        "streams": [[0, 1, 2], [0, 1, 2], "awaited"],
        "once": True,
        "replaced": True,
        "twice": ["ReplicaDied"],
        "replaced again": True,
        "scaled": [3, 3],
        "scaled back": [1, "awaited", True],
        "too few": ["ValueError", "replicas: 0 is too few; there must be 1 at least"],
        "unplaceable": [
            "Unplaceable",
            "2 replicas ask for 2 GPU in all and this machine has 0: ask for fewer or less, or set RAY_ADDRESS to "
            "a Ray that has them",
        ],
        "broken": ["ValueError", "invalid literal for int() with base 10: 'three'"],
        "closed": ["ReplicaDied", "the replicas have been closed"],
    }
