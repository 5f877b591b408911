"""Deadlines, full queues, size limits, workers and the end of a gRPC server, in processes of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health_pb2
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from tests.conformance.grpc_process import SERVER, failure, free_port, infer, serving, until


def test_a_deadline_ends_the_wait_and_what_has_not_begun_never_does(tmp_path):
    with serving(tmp_path, "--model_threads", "1") as server, ThreadPoolExecutor() as pool:
        slow = pool.submit(server.call, "ModelInfer", infer(sleep="2"))
        time.sleep(0.5)
        mark = tmp_path / "begun"
        begun = time.monotonic()
        error = failure(server, "ModelInfer", infer(sleep="0", mark=str(mark)), timeout=0.5)
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - begun < 1.5
        assert server.health() == health_pb2.HealthCheckResponse.SERVING
        slow.result(timeout=10)
        server.call("ModelInfer", infer(sleep="0"))
        assert not mark.exists()


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back(tmp_path):
    flags = ("--model_threads", "1", "--max_queue_size", "1")
    with serving(tmp_path, *flags) as server, ThreadPoolExecutor() as pool:
        waiting = [pool.submit(server.call, "ModelInfer", infer(sleep="1.5")) for _ in range(2)]
        time.sleep(0.7)
        error = failure(server, "ModelInfer", infer())
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert int(dict(error.trailing_metadata())["retry-after"]) >= 1
        assert all(future.result(timeout=10) for future in waiting)


def test_messages_past_the_limits_are_refused(tmp_path):
    limits = ("--grpc_max_receive_message_length", "100000", "--grpc_max_send_message_length", "50000")
    with serving(tmp_path, *limits) as server:
        for size, code in ((10_000, None), (70_000, "RESOURCE_EXHAUSTED"), (200_000, "RESOURCE_EXHAUSTED")):
            tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="UINT8", shape=[size])
            request = pb.ModelInferRequest(model_name="echo", inputs=[tensor], raw_input_contents=[bytes(size)])
            if code is None:
                server.call("ModelInfer", request)
            else:
                assert failure(server, "ModelInfer", request).code().name == code


def test_sigterm_reports_not_serving_and_loses_no_call(tmp_path):
    with serving(tmp_path, "--drain_delay", "1") as server, ThreadPoolExecutor() as pool:
        inflight = pool.submit(server.call, "ModelInfer", infer(sleep="2"))
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        for service in ("", "echo"):
            assert server.health(service) == health_pb2.HealthCheckResponse.NOT_SERVING
        ready = pb.ServerReadyResponse.FromString(server.call("ServerReady", b""))
        assert not ready.ready
        server.call("ModelInfer", infer())
        assert pb.ModelInferResponse.FromString(inflight.result(timeout=10)).id == "7"
        assert server.process.wait(timeout=10) == 0
        assert "Traceback" not in server.log.read_text()


def test_a_call_that_outlives_the_grace_period_is_cut_off(tmp_path):
    with serving(tmp_path, "--drain_delay", "0.1", "--grace_period", "1") as server, ThreadPoolExecutor() as pool:
        inflight = pool.submit(server.call, "ModelInfer", infer(sleep="6"))
        time.sleep(0.5)
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(grpc.RpcError) as cut:
            inflight.result(timeout=10)
        assert cut.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        server.process.wait(timeout=10)
        assert time.monotonic() - begun < 4


def test_a_model_that_is_not_ready_takes_no_calls_and_every_probe_says_so(tmp_path):
    with serving(tmp_path) as server:
        server.call("ModelInfer", infer(unready=True))
        error = failure(server, "ModelInfer", infer())
        assert (error.code(), error.details()) == (grpc.StatusCode.UNAVAILABLE, "model 'echo' is not ready")
        readiness = {
            name: pb.ModelReadyResponse.FromString(server.call("ModelReady", pb.ModelReadyRequest(name=name))).ready
            for name in ("echo", "sums")
        }
        assert readiness == {"echo": False, "sums": True}
        assert server.health("echo") == server.health() == health_pb2.HealthCheckResponse.NOT_SERVING
        assert server.health("sums") == health_pb2.HealthCheckResponse.SERVING
        assert pb.ServerLiveResponse.FromString(server.call("ServerLive", b"")).live


def test_each_call_has_a_line_in_the_access_log_with_its_code(tmp_path):
    with serving(tmp_path, "--access_log") as server:
        given = (("x-request-id", "good-1"),)
        server.call("ModelInfer", infer(), metadata=given)
        failure(server, "ModelInfer", infer(refuse=True), metadata=(("x-request-id", "bad-1"),))
        failure(server, "ModelInfer", infer("nobody"), metadata=(("x-request-id", "lost-1"),))

        def lines() -> list[str]:
            return [line for line in server.log.read_text().splitlines() if "/ModelInfer " in line]

        # A line is written when its answer has already left.
        until(lambda: len(lines()) == 3)
        said = [(line.split("/ModelInfer ")[1].split()[0], line.split()[-1]) for line in lines()]
        assert said == [("0", "good-1"), ("3", "bad-1"), ("5", "lost-1")]


def test_workers_share_the_port(tmp_path):
    with serving(tmp_path, "--workers", "3") as server:
        pids: set[int] = set()

        def every_worker() -> bool:
            answer = pb.ModelInferResponse.FromString(server.call("ModelInfer", infer()))
            pids.add(answer.parameters["pid"].int64_param)
            return len(pids) == 3

        until(every_worker)
        assert server.process.pid not in pids
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 0


def test_a_taken_port_is_a_failed_start_that_names_it(tmp_path):
    script = tmp_path / "model.py"
    script.write_text(SERVER)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        flags = ["--host", "127.0.0.1", "--http_port", str(free_port()), "--grpc_port", str(port)]
        done = subprocess.run(
            [sys.executable, script, *flags],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env=os.environ | {"PYTHONPATH": "runtimes"},
        )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr
    assert "Traceback" not in done.stderr
