"""Every route answers as kserve's and the Open Inference Protocol's do."""

from __future__ import annotations

import gzip
import json
import zlib

import numpy as np
import pytest

INFER = {"id": "7", "inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/", 200, {"status": "alive"}),
        ("/v2/health/live", 200, {"live": True}),
        ("/v2/health/ready", 503, {"ready": False}),  # one of the two models is not
        ("/v1/models", 200, {"models": ["sum", "unready"]}),
        ("/v2/models", 200, {"models": ["sum", "unready"]}),
        ("/v1/models/sum", 200, {"name": "sum", "ready": True}),
        ("/v2/models/sum/ready", 200, {"name": "sum", "ready": True}),
        ("/v2/models/sum/versions/1/ready", 200, {"name": "sum", "ready": True}),
        ("/v1/models/unready", 503, {"error": "model 'unready' is not ready"}),
        ("/v2/models/unready/ready", 503, {"error": "model 'unready' is not ready"}),
    ],
)
def test_describes_itself(server, path, status, body):
    reply = server.ask("GET", path)
    assert (reply.status, reply.json) == (status, body)
    assert reply.headers["content-type"] == "application/json"


def test_server_metadata_names_the_binary_extension(server):
    assert "binary_tensor_data" in server.ask("GET", "/v2").json["extensions"]


def test_model_metadata_is_what_the_model_declares(server):
    for path in ("/v2/models/sum", "/v2/models/sum/versions/1"):
        reply = server.ask("GET", path).json
        assert reply["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
        assert reply["versions"] == ["1"]


def test_v1_predict_takes_what_curl_sends(server):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    reply = server.ask("POST", "/v1/models/sum:predict", {"instances": [[1, 2], [3]]}, headers)
    assert reply.json["predictions"] == [3.0, 3.0]
    assert reply.headers["x-model"] == "sum"


def test_v1_explain(server):
    assert server.ask("POST", "/v1/models/sum:explain", {"instances": []}).json == {"explanations": ["because"]}


@pytest.mark.parametrize("path", ["/v2/models/sum/infer", "/v2/models/sum/versions/1/infer", "/v2/models/s%75m/infer"])
def test_v2_infer(server, path):
    reply = server.ask("POST", path, INFER)
    assert reply.status == 200, reply.body
    assert reply.json["id"] == "7"
    assert reply.json["outputs"][0]["data"] == [10.0]


def test_v2_infer_binary_both_ways(server):
    raw = np.array([[1, 2, 3, 4]], "<f4").tobytes()
    document = json.dumps(
        {
            "inputs": [
                {"name": "x", "datatype": "FP32", "shape": [1, 4], "parameters": {"binary_data_size": len(raw)}}
            ],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    headers = {"inference-header-content-length": str(len(document))}
    reply = server.ask("POST", "/v2/models/sum/infer", document + raw, headers)
    assert reply.status == 200, reply.body
    split = int(reply.headers["inference-header-content-length"])
    assert np.frombuffer(reply.body[split:], "<f4").tolist() == [10.0]


@pytest.mark.parametrize(("encoding", "squeeze"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_bodies_are_read(server, encoding, squeeze):
    body = squeeze(json.dumps(INFER).encode())
    reply = server.ask("POST", "/v2/models/sum/infer", body, {"content-encoding": encoding})
    assert reply.json["outputs"][0]["data"] == [10.0]


def test_an_endless_stream_of_small_chunks_is_put_together(server):
    body = json.dumps(INFER).encode()
    connection = server.connect()
    connection.request("POST", "/v2/models/sum/infer", (body[i : i + 5] for i in range(0, len(body), 5)))
    assert connection.getresponse().status == 200


def test_a_connection_serves_many_requests_and_pipelined_ones(server):
    request = b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n"
    with server.socket() as connection:
        connection.sendall(request * 3)
        answer = b""
        while answer.count(b'{"live":true}') < 3:
            more = connection.recv(4096)
            assert more
            answer += more


def test_the_request_id_comes_back_and_is_in_the_latency_line(server):
    reply = server.predict({"x-request-id": "caller-42"})
    assert reply.headers["x-request-id"] == "caller-42"
    assert "requestId: caller-42, preprocess_ms: 0, explain_ms: 0, predict_ms: " in server.log


def test_a_request_id_fit_for_forging_log_lines_is_replaced(server):
    reply = server.predict({"x-request-id": "a b\tFAKE"})
    assert reply.status == 200
    assert "x-request-id" not in reply.headers
    assert "FAKE" not in server.log


def test_an_authors_exception_is_a_500_whose_reason_is_only_in_the_log(server):
    reply = server.predict({"authorization": "Bearer hunter2"}, **{"raise": "why"})
    assert reply.status == 500
    assert set(reply.json) == {"error", "request_id"}
    assert b"/secret" not in reply.body
    assert b"Traceback" not in reply.body
    assert reply.headers["x-request-id"] == reply.json["request_id"]
    assert reply.json["request_id"] in server.log
    assert "RuntimeError: cannot read /secret/path/weights.bin why" in server.log
    assert "hunter2" not in server.log


def test_a_deadline_is_kept(server):
    reply = server.predict({"x-request-timeout": "0.2"}, wait=1)
    assert (reply.status, "0.2 s" in reply.json["error"]) == (504, True)


def test_a_body_over_the_limit_is_refused_and_its_sender_gets_to_read_it(server):
    for chunked in (False, True):
        body = b" " * (2 * 1024 * 1024)
        connection = server.connect()
        connection.request("POST", "/v2/models/sum/infer", iter([body]) if chunked else body)
        response = connection.getresponse()
        assert response.status == 413
        assert "--max_body_size_mb" in json.loads(response.read())["error"]
    assert server.live()
