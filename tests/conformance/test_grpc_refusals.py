"""What a caller of the gRPC server is told when a request cannot be answered."""

from collections.abc import Iterator

import grpc
import numpy as np
import pytest
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb

from tests.conformance.grpc_process import Server, failure, infer, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("grpc")) as running:
        yield running


REFUSED = {
    "bytes that are no message": ("ModelInfer", b"\xff\xff\xff", "INVALID_ARGUMENT", "not a valid ModelInferRequest"),
    "no message to another method": ("ModelReady", b"\x0a\xff", "INVALID_ARGUMENT", "ModelReadyRequest"),
    "unknown model": ("ModelInfer", infer("nobody"), "NOT_FOUND", "'nobody'"),
    "unknown model's metadata": ("ModelMetadata", pb.ModelMetadataRequest(name="nobody"), "NOT_FOUND", "'nobody'"),
    "unknown model's readiness": ("ModelReady", pb.ModelReadyRequest(name="nobody"), "NOT_FOUND", "'nobody'"),
    "unknown version": ("ModelInfer", infer("sums", "9"), "NOT_FOUND", "'9'"),
    "negative shape": (
        "ModelInfer",
        pb.ModelInferRequest(model_name="echo", inputs=[{"name": "x", "datatype": "FP32", "shape": [-1]}]),
        "INVALID_ARGUMENT",
        "'x'",
    ),
    "undeclared input": (
        "ModelInfer",
        pb.ModelInferRequest(model_name="sums", inputs=[{"name": "z", "datatype": "FP32", "shape": [0]}]),
        "INVALID_ARGUMENT",
        "'x' is missing",
    ),
    "loading a model": ("RepositoryModelLoad", b"", "UNIMPLEMENTED", "--admin_port"),
    "unloading a model": ("RepositoryModelUnload", b"", "UNIMPLEMENTED", "--admin_port"),
    "listing the repository": ("RepositoryIndex", b"", "UNIMPLEMENTED", "--admin_port"),
    "a method that is not offered": ("Nothing", b"", "UNIMPLEMENTED", ""),
    "the model's own refusal": ("ModelInfer", infer(refuse=True), "INVALID_ARGUMENT", "the model's taste"),
    "an output that is not the model's": (
        "ModelInfer",
        pb.ModelInferRequest(
            model_name="echo", inputs=[{"name": "x", "datatype": "FP32", "shape": [0]}], outputs=[{"name": "q"}]
        ),
        "INVALID_ARGUMENT",
        "'q'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_have_their_code_and_say_why(server, case):
    method, request, code, said = REFUSED[case]
    error = failure(server, method, request)
    assert (error.code().name, said in error.details()) == (code, True), error


def test_mutated_messages_are_never_the_servers_fault(server):
    chance = np.random.default_rng(5)
    message = infer().SerializeToString()
    with server.channel() as channel:
        method = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        for _ in range(400):
            mutated = bytearray(message)
            for _ in range(chance.integers(1, 4)):
                mutated[chance.integers(len(mutated))] = chance.integers(256)
            try:
                method(bytes(mutated), timeout=10)
            except grpc.RpcError as error:
                assert error.code().name in ("INVALID_ARGUMENT", "NOT_FOUND"), (bytes(mutated), error)


def test_an_exception_in_the_model_is_internal_and_keeps_its_text_in_the_log(server):
    error = failure(server, "ModelInfer", infer(boom=True), metadata=(("x-request-id", "abc-1"),))
    assert error.code() == grpc.StatusCode.INTERNAL
    assert "abc-1" in error.details()
    assert "secret" not in error.details()
    assert ("x-request-id", "abc-1") in [tuple(pair) for pair in error.trailing_metadata()]
    log = server.log.read_text()
    assert "secret at /home/author/model.py" in log
    assert "abc-1" in log
