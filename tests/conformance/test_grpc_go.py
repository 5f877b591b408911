"""The gRPC server with clients on grpc-go: what programs in Go, grpc_health_probe and the kubelet's probes send."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from cluster.binaries import environment
from cluster.golang import find_go
from tests.conformance.authority import Authority
from tests.conformance.grpc_process import Server, infer, serving
from tests.conformance.server_process import Server as AnyServer

SOURCE = Path(__file__).parent / "go_client"
SERVICE = "inference.GRPCInferenceService"


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with go_client and grpc-health-probe, compiled; the Go toolchain keeps what it compiles."""
    needed = re.search(r"^go (\d+)\.(\d+)", (SOURCE / "go.mod").read_text(), re.MULTILINE)
    assert needed
    folder = tmp_path_factory.mktemp("binaries")
    go = find_go(tuple(map(int, needed.groups())))
    command = [go, "build", "-o", f"{folder}/", ".", "github.com/grpc-ecosystem/grpc-health-probe"]
    built = subprocess.run(command, cwd=SOURCE, env=environment(), capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), "--model_threads=1") as running:
        yield running


@contextmanager
def client(binaries: Path, server: Server, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """The client at work on a scenario."""
    command = [binaries / "go_client", server.address, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> dict:
    """The next thing that a client says; one of them always comes to an end."""
    said = process.stdout.readline()
    assert said, process.stderr.read()
    return json.loads(said)


def said(binaries: Path, server: Server, *arguments: str | Path) -> dict:
    with client(binaries, server, *arguments) as process:
        return line(process)


def probe(binaries: Path, address: str, *flags: str) -> tuple[int, str]:
    command = [binaries / "grpc-health-probe", f"-addr={address}", "-connect-timeout=30s", "-rpc-timeout=30s", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    return done.returncode, done.stderr


def file(folder: Path, name: str, request: pb.ModelInferRequest) -> Path:
    path = folder / name
    path.write_bytes(request.SerializeToString())
    return path


@pytest.mark.parametrize("service", ["", SERVICE, "echo"])
def test_a_probe_as_the_kubelets_finds_server_service_and_model_serving(binaries, server, service):
    assert said(binaries, server, "check", service) == {"code": "OK", "message": "", "status": "SERVING"}


def test_a_probe_for_a_service_that_is_not_here_is_told_so(binaries, server):
    answer = said(binaries, server, "check", "nobody")
    assert answer["code"] == "NotFound"
    assert "'nobody'" in answer["message"]


def test_grpc_health_probe_is_content_and_exits_as_it_says_where_it_is_not(binaries, server):
    assert probe(binaries, server.address) == (0, "status: SERVING\n")
    assert probe(binaries, server.address, "-service=echo")[0] == 0
    code, told = probe(binaries, server.address, "-service=nobody")
    assert (code, "NotFound" in told) == (3, True)


def test_grpc_health_probe_reads_health_over_tls(binaries, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.sign("server")
    flags = (f"--ssl_certfile={certificate}", f"--ssl_keyfile={key}", "--enable_grpc=true", "--grpc_port=0")
    folder = tmp_path / "server"
    folder.mkdir()
    server = AnyServer(folder, *flags)
    try:
        server.wait_until_serving()
        address = "127.0.0.1:" + re.search(r"serving gRPC on port (\d+)", server.log)[1]
        assert probe(binaries, address, "-service=sum", "-tls", f"-tls-ca-cert={authority.file}") == (
            0,
            "status: SERVING\n",
        )
    finally:
        server.kill()


def test_a_watcher_learns_that_a_model_is_not_ready_any_more_and_that_the_server_stops(binaries, tmp_path):
    with serving(tmp_path) as server, client(binaries, server, "watch", "echo") as watcher:
        assert line(watcher) == {"status": "SERVING"}
        server.call("ModelInfer", infer(unready=True))
        assert line(watcher) == {"status": "NOT_SERVING"}
        server.process.send_signal(signal.SIGTERM)
        assert line(watcher)["code"] == "Unavailable"
        assert server.process.wait(60) == 0


def test_both_versions_of_reflection_list_what_is_here(binaries, server):
    here = {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"}
    listed = said(binaries, server, "services")
    assert here < set(listed["v1"])
    assert sorted(listed["v1"]) == sorted(listed["v1alpha"])


def test_a_client_that_knows_nothing_but_reflection_gets_an_answer(binaries, server):
    request = {
        "modelName": "sums",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "contents": {"fp32Contents": [1, 2, 3, 4]}}],
    }
    told = said(binaries, server, "generic", f"{SERVICE}/ModelInfer", json.dumps(request))
    assert told["code"] == "OK"
    assert told["answer"]["outputs"] == [
        {"name": "y", "datatype": "FP32", "shape": ["1"], "contents": {"fp32Contents": [10]}}
    ]


def test_what_reflection_describes_is_refused_as_the_protocol_says(binaries, server):
    told = said(binaries, server, "generic", f"{SERVICE}/ModelReady", '{"name": "nobody"}')
    assert told["code"] == "NotFound"


@pytest.mark.parametrize("compression", ["identity", "gzip"])
def test_8_mb_go_both_ways(binaries, server, tmp_path, compression):
    raw = np.random.default_rng(1).bytes(8_000_000)
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="UINT8", shape=[len(raw)])
    request = pb.ModelInferRequest(model_name="echo", id="7", inputs=[tensor], raw_input_contents=[raw])
    answer = tmp_path / "answer"
    told = said(binaries, server, "infer", file(tmp_path, "request", request), answer, compression)
    assert told["code"] == "OK", told
    read = pb.ModelInferResponse.FromString(answer.read_bytes())
    assert (read.id, read.raw_output_contents[0] == raw) == ("7", True)
    # Metadata both ways: the model's own header, before and behind the answer.
    assert read.parameters["tenant"].string_param == "acme"
    assert (told["header"]["x-answer"], told["trailer"]["x-answer"]) == (["42"], ["42"])
    assert told["trailer"]["x-request-id"] == ["mine"]


def test_an_error_is_the_status_that_go_reads(binaries, server, tmp_path):
    request = file(tmp_path, "request", infer(refuse=True))
    told = said(binaries, server, "infer", request, tmp_path / "answer", "identity")
    assert (told["code"], "'x'" in told["message"]) == ("InvalidArgument", True)


def test_a_stream_is_answered_message_by_message_and_ends_well(binaries, server, tmp_path):
    assert said(binaries, server, "stream", file(tmp_path, "request", infer())) == {"answers": 3, "ended": True}


@pytest.mark.parametrize(("how", "code"), [("cancel", "Canceled"), ("deadline", "DeadlineExceeded")])
def test_work_that_has_not_begun_is_dropped_with_its_caller(binaries, server, tmp_path, how, code):
    busy = file(tmp_path, "busy", infer(sleep="5", mark=str(tmp_path / "begun")))
    waiting = file(tmp_path, "waiting", infer(sleep="0", mark=str(tmp_path / "wrong")))
    told = said(binaries, server, "abandon", busy, tmp_path / "begun", waiting, how)
    assert told["left"]["code"] == code
    assert told["busy"]["code"] == "OK"
    # Threads take calls in order: had it been left in the queue, it would have begun before this one.
    server.call("ModelInfer", infer(sleep="0"), timeout=60)
    assert not (tmp_path / "wrong").exists()


def test_keepalive_pings_are_answered_and_a_silent_stream_goes_on(binaries, tmp_path):
    request = file(tmp_path, "request", infer())
    with serving(tmp_path, "--body_timeout=0.5") as server:
        told = said(binaries, server, "keepalive", request)
    assert told == {"stream": {"code": "OK", "message": ""}, "connections": 1}


def test_a_drain_under_load_loses_no_call(binaries, tmp_path):
    request = file(tmp_path, "request", infer("sums"))
    flags = ("--drain_delay=0.5", "--workers=2")
    with serving(tmp_path, *flags) as server, client(binaries, server, "load", request) as caller:
        assert line(caller) == {"under": "way"}
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
        told = line(caller)
        assert told["lost"] == []
        assert "Traceback" not in server.log.read_text()
