"""GET /metrics of real servers: exact totals from any worker, after a worker's death too, and the author's own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from tests.conformance import kserve_servers
from tests.conformance.grpc_process import free_port, infer, until
from tests.conformance.server_process import Reply, Server, read

OPEN_METRICS = {"accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
LABELS = ("model_name", "protocol", "code", "process", "kind", "le")
SUM = {"instances": [[1, 2]]}
INFER = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: object = None, **headers: str) -> Reply:
    connection.request(method, path, body if isinstance(body, bytes) else body and json.dumps(body), headers)
    return read(connection)


def samples(reply: Reply) -> dict[tuple[str, ...], float]:
    assert reply.status == 200
    return {
        (sample.name, *(sample.labels[label] for label in LABELS if label in sample.labels)): sample.value
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }


def requests(reply: Reply) -> dict[tuple[str, ...], float]:
    return {key[1:]: value for key, value in samples(reply).items() if key[0] == "modelwright_requests_total"}


def workers_of(server: Server, count: int) -> tuple[dict[int, http.client.HTTPConnection], int]:
    """Give a connection to each worker, by pid, and how many requests it took to find them."""
    found: dict[int, http.client.HTTPConnection] = {}
    asked = 0
    end = time.monotonic() + 30
    while len(found) < count:
        assert time.monotonic() < end, f"only {len(found)} of {count} workers answer"
        connection = server.connect(30)
        found.setdefault(ask(connection, "POST", "/v1/models/sum:predict", SUM).json["pid"], connection)
        asked += 1
    return found, asked


def test_totals_are_exact_whichever_worker_is_asked_and_outlive_one(start):
    port = free_port()
    server = start("--workers=3", "--enable_grpc=true", f"--grpc_port={port}").wait_until_serving(3)
    connections, predicted = workers_of(server, 3)
    for connection in connections.values():
        for path, body, status in (
            ("/v1/models/sum:predict", SUM, 200),
            ("/v1/models/sum:predict", b"{", 400),
            ("/v1/models/sum:predict", SUM | {"raise": "it"}, 500),
            ("/v1/models/sum:explain", SUM, 200),
            ("/v1/models/unready:predict", SUM, 503),
            ("/v1/models/nobody:predict", SUM, 404),
            ("/v2/models/sum/infer", INFER, 200),
            ("/v2/models/sum/infer", INFER, 200),
            ("/v2/models/sum/infer", {"inputs": []}, 400),
            ("/v2/models/somebody/infer", INFER, 404),
        ):
            assert ask(connection, "POST", path, body).status == status
        assert ask(connection, "GET", "/v1/models/sum").status == 200
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        method = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        for message, code in (
            (infer("sum"), "OK"),
            (infer("sum"), "OK"),
            (infer("nobody"), "NOT_FOUND"),
            (pb.ModelInferRequest(model_name="sum"), "INVALID_ARGUMENT"),
        ):
            try:
                method(message.SerializeToString(), timeout=20)
                assert code == "OK"
            except grpc.RpcError as error:
                assert error.code().name == code
    expected = {
        ("sum", "v1", "200"): predicted + 6,
        ("sum", "v1", "400"): 3,
        ("sum", "v1", "500"): 3,
        ("unready", "v1", "503"): 3,
        ("_other", "v1", "404"): 3,
        ("sum", "v2", "200"): 6,
        ("sum", "v2", "400"): 3,
        ("_other", "v2", "404"): 3,
        ("sum", "grpc", "OK"): 2,
        ("sum", "grpc", "INVALID_ARGUMENT"): 1,
        ("_other", "grpc", "NOT_FOUND"): 1,
    }
    for connection in connections.values():
        scrape = ask(connection, "GET", "/metrics")
        assert requests(scrape) == expected
        told = samples(scrape)
        assert told["modelwright_workers",] == 3
        assert told["modelwright_model_load_seconds", "sum"] > 0
        assert told["modelwright_requests_in_flight", "sum"] == 0
        assert told["request_predict_seconds_count", "sum"] == predicted + 14
        assert told["modelwright_request_seconds_count", "sum", "v2"] == 9
        shares = [told["modelwright_process_proportional_memory_bytes", name] for name in PROCESSES]
        whole = [told["modelwright_process_resident_memory_bytes", name] for name in PROCESSES]
        assert all(0 < share < size for share, size in zip(shares, whole, strict=True))
    victim, *others = connections
    os.kill(victim, signal.SIGKILL)
    server.wait_until_serving(4)
    assert requests(ask(connections[others[0]], "GET", "/metrics")) == expected
    replaced, more = workers_of(server, 3)
    expected["sum", "v1", "200"] += more
    for connection in replaced.values():
        assert requests(ask(connection, "GET", "/metrics")) == expected
        told = samples(ask(connection, "GET", "/metrics"))
        assert (told["modelwright_workers",], told["modelwright_worker_restarts_total",]) == (3, 1)
    assert server.stop() == 0


PROCESSES = ("main", "worker-1", "worker-2", "worker-3")


def test_what_waits_is_in_flight_and_who_leaves_is_counted(start):
    server = start("--model_threads=1").wait_until_serving()
    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(server.predict, wait=1.5) for _ in range(2)]
        until(lambda: told(server)["modelwright_requests_in_flight", "sum"] == 2)
        leaving = server.connect()
        leaving.request("POST", "/v1/models/sum:predict", json.dumps(SUM))
        until(lambda: told(server)["modelwright_requests_in_flight", "sum"] == 3)
        leaving.close()
        assert [each.result().status for each in slow] == [200, 200]
    until(lambda: told(server).get(("modelwright_requests_total", "sum", "v1", "499")) == 1)
    after = told(server)
    assert after["modelwright_requests_in_flight", "sum"] == 0
    # The second waited for the first.
    assert after["modelwright_queue_seconds_sum", "sum"] > 1
    assert after["modelwright_queue_seconds_bucket", "sum", "0.5"] == 2


def told(server: Server | kserve_servers.Server) -> dict[tuple[str, ...], float]:
    return samples(server.ask("GET", "/metrics") if isinstance(server, Server) else Reply(*server.ask("/metrics")))


def test_accept_chooses_the_form(start):
    server = start().wait_until_serving()
    assert server.predict().status == 200
    plain = server.ask("GET", "/metrics", headers={"accept": "text/plain;version=nonsense"})
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    reply = server.ask("GET", "/metrics", headers=OPEN_METRICS)
    assert reply.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in openmetrics.text_string_to_metric_families(reply.body.decode())}
    (counted,) = families["modelwright_requests"].samples
    assert (counted.labels, counted.value) == ({"model_name": "sum", "protocol": "v1", "code": "200"}, 1)
    # What kserve's page tells of its process.
    assert {"process_resident_memory_bytes", "python_info"} <= {
        sample.name for family in text_string_to_metric_families(plain.body.decode()) for sample in family.samples
    }
    assert server.ask("HEAD", "/metrics").body == b""
    assert server.ask("POST", "/metrics", {}).status == 405


@pytest.fixture
def entry_point(tmp_path: Path) -> Iterator[Callable[[str], kserve_servers.Server]]:
    started: list[kserve_servers.Server] = []

    def start(script: str) -> kserve_servers.Server:
        started.append(kserve_servers.start(tmp_path, script, "--enable_grpc=false", kserve="twin"))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


def test_an_answer_in_pieces_counts_at_its_end_as_what_it_came_to(entry_point):
    server = entry_point("streaming")
    path = "/v2/models/async/generate_stream"
    for text in ("one two", "one boom", "one refuse-late"):
        assert server.ask(path, json.dumps({"text_input": text}).encode())[0] == 200
    leaving = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    leaving.request("POST", path, json.dumps({"text_input": "one wait"}))
    assert b"one" in leaving.getresponse().readline()
    until(lambda: told(server)["modelwright_requests_in_flight", "async"] == 1)
    leaving.close()
    expected = {("async", "v2", code): 1 for code in ("200", "500", "400", "499")}
    until(lambda: requests(Reply(*server.ask("/metrics"))) == expected)
    assert told(server)["modelwright_requests_in_flight", "async"] == 0


def test_openai_requests_count_for_the_model_that_they_name(entry_point):
    server = entry_point("chatting")
    for model, status in (("async", 200), ("nobody", 404)):
        body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
        assert server.ask("/openai/v1/chat/completions", json.dumps(body).encode())[0] == status
    expected = {("async", "openai", "200"): 1, ("_other", "openai", "404"): 1}
    assert requests(Reply(*server.ask("/metrics"))) == expected


MODEL = """
import os
from prometheus_client import Counter, Gauge, Histogram
from kserve import Model, ModelServer

SEEN = Counter("rows_seen", "rows", ["kind"])
SIZE = Histogram("row_size", "sizes", buckets=(1, 10))
OPEN = Gauge("open_things", "things", multiprocess_mode="livesum")

class Doubling(Model):
    def load(self):
        SEEN.labels("loaded").inc()
        self.ready = True
    def preprocess(self, payload, headers=None):
        return payload["instances"]
    def predict(self, rows, headers=None):
        SEEN.labels("asked").inc(len(rows))
        SIZE.observe(len(rows))
        OPEN.set(5)
        return {"predictions": rows, "pid": os.getpid(), "folder": os.environ.get("PROMETHEUS_MULTIPROC_DIR")}

if __name__ == "__main__":
    ModelServer(MORE).start([Doubling("sum")])
"""


class Author(Server):
    """An author's entry point under `modelwright run`."""

    def __init__(self, folder: Path, *flags: str, more: str = "", **environment: str) -> None:
        (folder / "model.py").write_text(MODEL.replace("MORE", more))
        self._log = folder / "server.log"
        command = [sys.executable, "-m", "modelwright", "run", "--", "python", "-m", "model"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--http_port=0", "--enable_grpc=false", *flags],
                cwd=folder, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
            )  # fmt: skip
        self.port = 0


@pytest.fixture
def author(tmp_path: Path) -> Iterator[Callable[..., Author]]:
    started: list[Author] = []

    def start(*flags: str, **how: str) -> Author:
        started.append(Author(tmp_path, *flags, **how))
        return started[-1]

    yield start
    for each in started:
        each.kill()


def test_an_author_s_own_metrics_are_added_up_across_workers(author):
    server = author("--workers=3").wait_until_serving(3)
    connections, asked = workers_of(server, 3)
    folder = Path(ask(next(iter(connections.values())), "POST", "/v1/models/sum:predict", SUM).json["folder"])
    assert folder.stat().st_mode & 0o777 == 0o700
    asked += 1
    for connection in connections.values():
        counted = samples(ask(connection, "GET", "/metrics"))
        assert counted["rows_seen_total", "loaded"] == 1
        assert counted["rows_seen_total", "asked"] == asked
        assert counted["row_size_bucket", "1.0"] == asked
        assert counted["open_things",] == 15
        for part in ("preprocess", "predict", "postprocess"):
            assert counted[f"request_{part}_seconds_count", "sum"] == asked
    victim = next(iter(connections))
    os.kill(victim, signal.SIGKILL)
    server.wait_until_serving(4)
    other = next(connection for pid, connection in connections.items() if pid != victim)
    assert samples(ask(other, "GET", "/metrics"))["open_things",] == 10
    replaced, more = workers_of(server, 3)
    for connection in replaced.values():
        assert samples(ask(connection, "GET", "/metrics"))["rows_seen_total", "asked"] == asked + more
    assert server.stop() == 0
    assert not folder.exists()


def test_one_worker_keeps_an_author_s_metrics_in_memory(author):
    server = author().wait_until_serving()
    assert server.predict().json["folder"] is None
    assert told(server)["rows_seen_total", "asked"] == 1


def test_workers_named_only_in_code_are_known_too_late_and_the_log_says_what_to_do(author):
    server = author(more="workers=2").wait_until_serving(2)
    assert server.predict().status == 200
    assert ("rows_seen_total", "asked") not in told(server)
    assert "set --workers on the command line or MODELWRIGHT_WORKERS" in server.log


def test_a_folder_that_the_author_has_named_is_used_and_left(author, tmp_path):
    folder = tmp_path / "counts"
    folder.mkdir()
    server = author(more="workers=2", PROMETHEUS_MULTIPROC_DIR=str(folder)).wait_until_serving(2)
    assert [server.predict().json["folder"] for _ in range(8)] == [str(folder)] * 8
    assert told(server)["rows_seen_total", "asked"] == 8
    assert "set --workers" not in server.log
    assert server.stop() == 0
    assert list(folder.iterdir())


def test_what_a_killed_server_has_left_is_removed_by_the_next(author):
    first = author("--workers=2", "--drain_delay=0.1").wait_until_serving(2)
    folder = Path(first.predict().json["folder"])
    beside = author("--workers=2").wait_until_serving(2)
    kept = Path(beside.predict().json["folder"])
    assert folder.exists()
    first.kill()

    def removed() -> bool:
        # Its workers hold it until they have drained.
        server = author("--workers=2").wait_until_serving(2)
        server.stop()
        return not folder.exists()

    until(removed)
    assert kept.exists()
    assert beside.stop() == 0
    assert not kept.exists()
