"""MLServer's authors' files and their callers' requests, answered by the genuine mlserver and by ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from tests.conformance.mlserver_cases import CASES, TEXT, X, body, tensor
from tests.conformance.mlserver_servers import MODELS, Running, genuine, genuine_library, ours, repository
from tests.conformance.server_process import Reply

ALL = re.findall(r"^class (\w+)\(MLModel\)", MODELS.read_text(), re.MULTILINE)

# What is answered otherwise: the genuine status and ours, and why.
DIFFERENCES = {
    "data frame of text": (500, 200, "mlserver 1.7.1 does not know the text columns of pandas 3, which it installs"),
    "answer nested": (200, 200, "'data' is written flat, which the protocol allows too"),
    "bug of the author": (500, 500, "the caller is told where to look; mlserver answers plain text, no JSON"),
    "not ready": (400, 503, "the server's fault is none of the caller's; load balancers go by 503"),
    "no such model": (404, 404, "the message names the models that there are"),
    "nested data in a request": (200, 200, "lists are flat, as over gRPC: how they were nested is the codec's affair"),
    "one string for a list": (200, 400, "the protocol has lists only"),
    "missing input": (500, 400, "the caller can mend it, and is told what is missing"),
    "no date": (500, 400, "the caller can mend it"),
    "shape that does not fit": (500, 400, "the caller can mend it"),
    "unknown datatype": (422, 400, "the status of every malformed request here, as the protocol has it"),
    "no inputs": (422, 400, "the status of every malformed request here, as the protocol has it"),
    "content type of another type": (422, 400, "the status of every malformed request here, as the protocol has it"),
    "output asked for": (200, 200, "only the outputs that are asked for are sent, as the protocol has it"),
    "float precision": (200, 200, "elements have the precision of their datatype, as over gRPC"),
}


# Which of these are so by our library, and as with the genuine server where the genuine library is installed.
OF_OUR_LIBRARY = {"missing input", "no date"}


@dataclass
class Both:
    """The genuine server, and ours with the library that answers for `mlserver` there."""

    genuine: Running
    ours: Running
    library: str

    def ask(self, method: str, path: str, content: object = None, **headers: str) -> tuple[Reply, Reply]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        theirs = self.genuine.ask(method, path, content, named)
        return theirs, self.ours.ask(method, path, content, named)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    """The genuine server, and the folder that it serves."""
    folder, logs = tmp_path_factory.mktemp("repository"), tmp_path_factory.mktemp("logs")
    repository(folder, *ALL)
    started = genuine(folder, logs)
    try:
        yield started.wait("/v2/models/handlers/ready"), folder
    finally:
        started.kill()


@pytest.fixture(scope="module", params=["our library", "genuine library"])
def both(
    request: pytest.FixtureRequest, original: tuple[Running, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    theirs, folder = original
    logs = tmp_path_factory.mktemp("logs")
    environment = genuine_library(logs) if request.param == "genuine library" else {}
    started = ours(folder, logs, **environment)
    try:
        yield Both(theirs, started.wait(), request.param)
    finally:
        started.kill()


def document(reply: Reply) -> object:
    """Return a reply's JSON; text where it is none."""
    try:
        found = reply.json
    except ValueError:
        return reply.body.decode()
    # mlserver puts headers of its own into the parameters and takes them out again, which leaves these behind.
    return {k: v for k, v in found.items() if k != "parameters" or v} if isinstance(found, dict) else found


@pytest.mark.parametrize("case", CASES)
def test_the_same_answer(both: Both, case: str) -> None:
    model, content = CASES[case]
    theirs, own = both.ask("POST", f"/v2/models/{model}/infer", content)
    same = (theirs.status, document(theirs)) == (own.status, document(own))
    assert same == (case not in DIFFERENCES), (theirs.body, own.body)
    if not same:
        expected, instead, _ = DIFFERENCES[case]
        if both.library == "genuine library" and case in OF_OUR_LIBRARY:
            instead = expected
        assert (theirs.status, own.status) == (expected, instead), (theirs.body, own.body)


def test_the_list_of_differences_names_cases() -> None:
    assert DIFFERENCES.keys() <= CASES.keys()


def test_an_id_is_made_where_the_request_has_none(both: Both) -> None:
    for reply in both.ask("POST", "/v2/models/sum/infer", {"inputs": [X]}):
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", reply.json["id"])


def test_headers_in_and_out(both: Both) -> None:
    for reply in both.ask("POST", "/v2/models/headers/infer", body(X, headers={"x-tenant": "forged"}), X_Tenant="acme"):
        assert reply.json["outputs"][0]["data"] == ["acme"]
        assert reply.headers["x-seen"] == "acme"
        assert "headers" not in reply.json["parameters"]


def events(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("ce-")}


def test_cloud_events(both: Both) -> None:
    theirs, own = both.ask("POST", "/v2/models/events/infer", body(X), Ce_Id="of the caller")
    assert len(events(theirs.headers)) == 8
    assert events(own.headers) == events(theirs.headers)
    # An id that no header can carry; the genuine server answers 500 to it.
    unspeakable = {**body(X), "id": "\u6f22\n"}
    reply = both.ours.ask("POST", "/v2/models/sum/infer", unspeakable)
    assert (reply.status, reply.json["id"]) == (200, "\u6f22\n")
    assert len(events(reply.headers)) == 6


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("GET", "/items/5", None),
        ("GET", "/items/5?verbose=true", None),
        ("GET", "/refused", None),
        ("GET", "/paged/3", None),
        ("GET", "/paged/3?page=2&limit=20", None),
        ("GET", "/paged/5", None),
        ("GET", "/paged/6", None),
        ("POST", "/merged", {"left": {"a": 1}, "right": {"b": 2}}),
    ],
)
def test_custom_handlers(both: Both, method: str, path: str, content: object) -> None:
    theirs, own = both.ask(method, path, content, X_Tenant="acme")
    assert (theirs.status, document(theirs)) == (own.status, document(own))
    assert theirs.headers.get("x-page") == own.headers.get("x-page")


def test_a_custom_handler_that_wants_fastapi_refuses_as_fastapi_does(both: Both) -> None:
    theirs, own = both.ask("GET", "/paged/three?limit=21&page=x")
    assert (theirs.status, own.status) == (422, 422)
    assert [each["loc"] for each in own.json["detail"]] == [each["loc"] for each in theirs.json["detail"]]
    assert len(own.json["detail"]) == 3


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [("GET", "/items/five", None), ("POST", "/merged", {"left": {}}), ("POST", "/sum-of", {"no": "list"})],
)
def test_custom_handlers_refuse_with_the_same_status(both: Both, method: str, path: str, content: object) -> None:
    # FastAPI's `detail` is its own; ours is the server's form of an error.
    theirs, own = both.ask(method, path, content)
    assert (theirs.status, own.status) == (422, 422)
    assert own.json["error"]


def test_a_custom_handler_takes_a_list(both: Both) -> None:
    # As mlserver's documentation has it; the FastAPI that 1.7.1 installs by now answers 422.
    assert both.ours.ask("POST", "/sum-of", [1, 2, 3]).json == 6


def test_streams(both: Both) -> None:
    for reply in both.ask("POST", "/v2/models/streaming/infer_stream", body(tensor("t", "BYTES", [1], ["a b c"]))):
        assert reply.headers["content-type"].startswith("text/event-stream")
        words = re.findall(r'"data":\["(\w)"\]', reply.body.decode())
        assert words == ["a", "b", "c"]
        assert reply.body.count(b'"id":"r1"') == 3


def test_a_model_without_stream_gives_one_piece(both: Both) -> None:
    for reply in both.ask("POST", "/v2/models/strings/infer_stream", body(TEXT)):
        assert reply.body.count(b"data: ") == 1
        assert '"data":["Ä","B"]'.encode() in reply.body


def test_metadata(both: Both) -> None:
    theirs, own = both.ask("GET", "/v2/models/declared")
    expected = theirs.json
    # Only the content type, which the protocol has no place for, is not told; and the version is one of its versions.
    expected["inputs"][0].pop("parameters")
    expected.pop("parameters")
    assert own.json == {**expected, "versions": ["v3", "numpy/2"]}


@pytest.mark.parametrize(("path", "status"), [("/ready", 200), ("/versions/1/ready", 200), ("/versions/2/ready", 404)])
def test_readiness(both: Both, path: str, status: int) -> None:
    assert [reply.status for reply in both.ask("GET", f"/v2/models/sum{path}")] == [status, status]


def test_a_version_is_served(both: Both) -> None:
    theirs, own = both.ask("POST", "/v2/models/declared/versions/v3/infer", CASES["declared content type"][1])
    assert document(theirs) == document(own)


GRPC_CASES = {
    "contents": ("sum", [("x", "FP64", [2], {"fp64_contents": [1.5, 2.5]})]),
    "raw": ("numpy", [("x", "INT32", [1, 2], b"\x01\0\0\0\x02\0\0\0")]),
    "text": ("answers", [(n, "BYTES", [1], {"bytes_contents": ["ä".encode()]}) for n in ("questions", "context")]),
    "bytes in a request": ("raw", [("x", "BYTES", [2], {"bytes_contents": [b"\xff", b"b"]})]),
    "raw bytes": ("strings", [("text", "BYTES", [1], b"\x02\0\0\0ab")]),
    "base64": ("blobs", [("blobs", "BYTES", [1], {"bytes_contents": [b"AAEC"]})]),
    "headers": ("headers", [("x", "BOOL", [1], {"bool_contents": [True]})]),
    "refused": ("failing", [("how", "BYTES", [1], {"bytes_contents": [b"inference"]})]),
    "author's 404": ("failing", [("how", "BYTES", [1], {"bytes_contents": [b"missing"]})]),
}


def call(running: Running, case: str) -> tuple[object, object, dict[str, str]]:
    """Return the code and its details, the message, and the trailing metadata."""
    model, inputs = GRPC_CASES[case]
    request = pb.ModelInferRequest(model_name=model, id="g1")
    for name, datatype, shape, contents in inputs:
        given = request.inputs.add(name=name, datatype=datatype, shape=shape)
        if isinstance(contents, bytes):
            request.raw_input_contents.append(contents)
        else:
            given.contents.CopyFrom(pb.InferTensorContents(**contents))
    with grpc.insecure_channel(f"127.0.0.1:{running.grpc}") as channel:
        method = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        try:
            message, done = method.with_call(
                request.SerializeToString(), timeout=30, metadata=(("x-tenant", "acme"),), wait_for_ready=True
            )
        except grpc.RpcError as error:
            return (error.code(), error.details()), None, {}
        answer = MessageToDict(pb.ModelInferResponse.FromString(message), preserving_proto_field_name=True)
        for output in answer.get("outputs", []):
            # Beside raw contents, mlserver writes empty ones.
            if not output.get("contents"):
                output.pop("contents", None)
        return grpc.StatusCode.OK, answer, dict(done.trailing_metadata() or ())


@pytest.mark.parametrize("case", GRPC_CASES)
def test_the_same_answer_over_grpc(both: Both, case: str) -> None:
    code, answer, trailing = call(both.genuine, case)
    own_code, own_answer, own_trailing = call(both.ours, case)
    assert (own_code, own_answer) == (code, answer)
    assert own_trailing.get("x-seen") == trailing.get("x-seen")
    assert events(own_trailing) == events(trailing)
    assert (case != "headers") or own_trailing["x-seen"] == "acme"
