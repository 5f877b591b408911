"""Traces of real servers, as a real OTLP receiver gets them."""

from __future__ import annotations

import json
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import grpc
import pytest

from tests.conformance import kserve_servers
from tests.conformance.collector import Collector, Received
from tests.conformance.grpc_process import infer, until
from tests.conformance.kserve_servers import ROOT, Server, free_port

PREDICT = "/v1/models/traced:predict"
INFER = "/v2/models/traced/infer"
TENSOR = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}]}
PHASES = {"preprocess", "predict", "postprocess"}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.close()


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def server(collector: Collector, patch: pytest.MonkeyPatch, tmp_path_factory) -> Iterator[Server]:
    patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    patch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    running = launch(tmp_path_factory.mktemp("traced"), "--log_format=json")
    yield running
    running.stop()


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers of a test's own; they end with it."""
    started: list[Server] = []

    def begin(*flags: str) -> Server:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(launch(folder, *flags))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.wait()


def launch(folder: Path, *flags: str) -> Server:
    port = free_port()
    running = kserve_servers.start(folder, "traced", f"--grpc_port={port}", *flags, kserve="twin")
    running.description["grpc_port"] = port
    return running


def parent() -> tuple[str, str, dict[str, str]]:
    """Make up a caller's span: trace id, span id and the headers that tell of it."""
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    headers = {"traceparent": f"00-{trace}-{span}-01", "tracestate": "vendor=1", "content-type": "application/json"}
    return trace, span, headers


def complete(spans: list[Received]) -> bool:
    return any(each.serves for each in spans) and {each.span.name for each in spans} >= PHASES


def serving(spans: list[Received]) -> Received:
    (found,) = [each for each in spans if each.serves]
    return found


def call(server: Server, request: object, headers: dict[str, str]) -> None:
    metadata = [(key, value) for key, value in headers.items() if key.startswith("trace") or key == "x-request-id"]
    with grpc.insecure_channel(f"127.0.0.1:{server.description['grpc_port']}") as channel:
        method = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        method(request.SerializeToString(), timeout=30, metadata=metadata)


@pytest.mark.parametrize(
    ("path", "route", "body"),
    [
        (PREDICT, "/v1/models/{model}:predict", {"instances": [1]}),
        (INFER, "/v2/models/{model}/infer", TENSOR),
    ],
)
def test_a_rest_request_is_a_child_of_its_caller_s_span(server, collector, path, route, body):
    trace, span, headers = parent()
    assert server.ask(path, json.dumps(body).encode(), {**headers, "x-request-id": "r-1"})[0] == 200
    spans = collector.wait(trace, complete)
    served = serving(spans)
    assert (served.span.name, served.span.parent_span_id.hex()) == (f"POST {route}", span)
    assert served.span.trace_state == "vendor=1"
    assert not served.failed
    expected = {
        "http.request.method": "POST",
        "http.route": route,
        "http.response.status_code": 200,
        "url.path": path,
        "url.scheme": "http",
        "client.address": "127.0.0.1",
        "modelwright.model.name": "traced",
        "modelwright.request.id": "r-1",
    }
    assert {key: served.attributes[key] for key in expected} == expected
    assert served.resource["service.name"] == "traced"
    assert served.resource["deployment.environment.name"] == "test"
    inside(spans, served)


def inside(spans: list[Received], served: Received) -> None:
    """Hold that the author's methods, and the author's own span, lie in the server's, one after the other."""
    children = {each.span.name: each for each in spans if each is not served}
    assert set(children) >= PHASES | {"look up"}
    assert {each.span.parent_span_id for each in children.values()} == {served.span.span_id}
    pre, predict, post = (children[name].span for name in ("preprocess", "predict", "postprocess"))
    begun, ended = served.span.start_time_unix_nano, served.span.end_time_unix_nano
    times = [begun, pre.start_time_unix_nano, pre.end_time_unix_nano, predict.start_time_unix_nano]
    times += [predict.end_time_unix_nano, post.start_time_unix_nano, post.end_time_unix_nano, ended]
    # Two clocks are joined here, and whoever slews one of them does it by microseconds.
    assert all(later - earlier > -1_000_000 for earlier, later in pairwise(times)), times


def test_a_grpc_call_is_a_child_of_its_caller_s_span(server, collector):
    trace, span, headers = parent()
    call(server, infer("traced"), {**headers, "x-request-id": "g-1"})
    spans = collector.wait(trace, complete)
    served = serving(spans)
    assert served.span.name == "inference.GRPCInferenceService/ModelInfer"
    assert served.span.parent_span_id.hex() == span
    expected = {
        "rpc.system.name": "grpc",
        "rpc.method": "inference.GRPCInferenceService/ModelInfer",
        "rpc.response.status_code": "OK",
        "modelwright.model.name": "traced",
        "modelwright.request.id": "g-1",
    }
    assert {key: served.attributes[key] for key in expected} == expected
    inside(spans, served)


def test_what_the_author_s_code_raises_is_in_the_trace_over_rest(server, collector):
    trace, _, headers = parent()
    assert server.ask(PREDICT, b'{"instances": [0]}', headers)[0] == 500
    spans = collector.wait(trace, lambda spans: any(each.serves for each in spans) and any_of(spans, "predict"))
    served = serving(spans)
    assert served.attributes["http.response.status_code"] == 500
    raised(spans, served, "500")


def test_what_the_author_s_code_raises_is_in_the_trace_over_grpc(server, collector):
    trace, _, headers = parent()
    with pytest.raises(grpc.RpcError):
        call(server, infer("traced", fail=True), headers)
    spans = collector.wait(trace, lambda spans: any(each.serves for each in spans) and any_of(spans, "predict"))
    raised(spans, serving(spans), "INTERNAL")


def any_of(spans: list[Received], name: str) -> bool:
    return any(each.span.name == name for each in spans)


def raised(spans: list[Received], served: Received, kind: str) -> None:
    assert served.failed
    assert served.attributes["error.type"] == kind
    (event,) = served.span.events
    details = {each.key: each.value.string_value for each in event.attributes}
    assert details["exception.message"] == "the weights are upside down"
    assert {each.span.name: each.failed for each in spans if each.span.name in PHASES} == {
        "preprocess": False,
        "predict": True,
    }


def test_a_caller_s_mistake_is_no_error_of_the_server_s(server, collector):
    trace, _, headers = parent()
    assert server.ask("/v2/models/nothing/infer", b"{}", headers)[0] == 404
    (served,) = collector.wait(trace, bool)
    assert served.attributes["http.response.status_code"] == 404
    assert not served.failed
    # What a caller makes up is not one of the models.
    assert "modelwright.model.name" not in served.attributes


def test_a_caller_that_samples_nothing_gets_no_spans_and_one_without_a_trace_gets_a_new_one(server, collector):
    trace, span, headers = parent()
    assert server.ask(PREDICT, b'{"instances": [1]}', {**headers, "traceparent": f"00-{trace}-{span}-00"})[0] == 200
    alone = {"content-type": "application/json", "x-request-id": secrets.token_hex(8)}
    assert server.ask(PREDICT, b'{"instances": [1]}', {**alone, "traceparent": "nonsense"})[0] == 200
    mine = {"modelwright.request.id": alone["x-request-id"]}
    until(lambda: any(mine.items() <= each.attributes.items() for each in list(collector.received)))
    (served,) = [each for each in collector.received if mine.items() <= each.attributes.items()]
    assert served.span.parent_span_id == b""
    assert not collector.of(trace)


def test_health_and_metadata_are_not_traced(server, collector):
    trace, _, headers = parent()
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/traced", "/metrics"):
        assert server.ask(path, headers=headers)[0] == 200
    assert server.ask(PREDICT, b'{"instances": [1]}', headers)[0] == 200
    assert sum(each.serves for each in collector.wait(trace, complete)) == 1


def test_log_lines_name_the_span_they_were_written_in(server, collector):
    trace, _, headers = parent()
    assert server.ask(PREDICT, b'{"instances": [0]}', headers)[0] == 500
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    mine = [line for line in lines if line.get("trace_id") == trace]
    assert {line["message"].split(",")[0].split(" requestId")[0] for line in mine} >= {"looking up"}
    assert any("upside down" in line.get("exception", "") for line in mine)
    assert all(len(line["span_id"]) == 16 for line in mine)
    assert not any("trace_id" in line for line in lines if "serving" in line["message"])


@pytest.mark.parametrize("protocol", ["v1", "v2", "grpc-v2"])
def test_a_transformer_s_predictor_is_in_the_same_trace(server, collector, begin, protocol):
    port = server.description["grpc_port"] if protocol == "grpc-v2" else server.port
    flags = (f"--predictor_host=127.0.0.1:{port}", f"--predictor_protocol={protocol}")
    transformer = begin(*flags)
    trace, span, headers = parent()
    path, body = (PREDICT, {"instances": [1]}) if protocol == "v1" else (INFER, TENSOR)
    status, _, answer = transformer.ask(path, json.dumps(body).encode(), headers)
    assert status == 200, answer
    spans = collector.wait(trace, lambda spans: sum(each.serves for each in spans) == 2)
    by_parent = {each.span.parent_span_id.hex(): each for each in spans if each.serves}
    outer = by_parent[span]
    assert outer.span.span_id.hex() in by_parent


def test_each_worker_traces_and_the_last_spans_leave_before_the_end(collector, begin, monkeypatch):
    # So long that nothing leaves by itself.
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "two-workers")
    running = begin("--workers=2", "--enable_grpc=false")
    traces = [parent() for _ in range(20)]
    for _, _, headers in traces:
        assert running.ask(PREDICT, b'{"instances": [1]}', headers)[0] == 200
    assert not any(collector.of(trace) for trace, _, _ in traces)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(40) == 0
    spans = [serving(collector.wait(trace, complete)) for trace, _, _ in traces]
    assert {each.resource["service.name"] for each in spans} == {"two-workers"}


def test_a_collector_that_is_down_or_silent_costs_no_request_and_little_log(begin, monkeypatch):
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    # So small that spans are dropped.
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # Nobody accepts: the connection is made, and nothing is ever answered.
        for port in (free_port(), silent.getsockname()[1]):
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
            running = begin("--enable_grpc=false")
            for _ in range(200):
                assert running.ask(PREDICT, b'{"instances": [1]}')[0] == 200
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(40) == 0, running.log.read_text()
            said = running.log.read_text()
            assert 1 <= said.count("tracing:") + said.count("traces did not reach") <= 3, said
            assert "Traceback" not in said


@pytest.mark.parametrize(
    "variables",
    [{"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}],
)
def test_nothing_is_imported_where_no_traces_are_wanted(start, collector, variables):
    # It makes Python print what it imports.
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "PYTHONPROFILEIMPORTTIME": "1", **variables}
    running = start(**given).wait_until_serving()
    assert running.predict().status == 200
    assert "modelwright.server.tracing.tracing" in running.log
    assert "opentelemetry" not in running.log


def test_without_the_extra_the_server_says_so_and_serves(start, collector, tmp_path):
    hidden = tmp_path / "opentelemetry" / "sdk"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError(\"No module named 'opentelemetry.sdk'\")")
    path = f"{tmp_path}:{ROOT}:{ROOT / 'runtimes'}"
    running = start(OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint, PYTHONPATH=path).wait_until_serving()
    assert running.predict().status == 200
    assert "tracing is off: No module named 'opentelemetry.sdk'; install modelwright[tracing]" in running.log


def test_a_protocol_that_is_not_spoken_is_said(start, collector):
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    running = start(**variables).wait_until_serving()
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: traces leave over http/protobuf" in running.log


def test_a_variable_that_is_no_good_turns_tracing_off_and_is_named(start, collector):
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_PROPAGATORS": "pigeon"}
    running = start(**variables).wait_until_serving()
    assert running.predict().status == 200
    assert "tracing is off" in running.log
    assert "pigeon" in running.log
