"""A client's side of gRPC: what it writes our server reads, what any server answers it reads, in both forms."""

from __future__ import annotations

import numpy as np
import pytest
from modelwright.codecs import grpc as codec
from modelwright.codecs.grpc_client import decode_response, encode_request
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb
from modelwright.errors import InvalidInput
from modelwright.tensors import NUMPY_TYPES, InferenceRequest, InferenceResponse, RequestedOutput, Tensor

PARAMETERS = {"a": True, "b": 3, "c": 2**63, "d": 1.5, "e": "text"}


def tensor(datatype: str) -> Tensor:
    if datatype == "BYTES":
        data = np.array([[b"one", b""], [b"\xff\x00", b"four"]], dtype=object)
    else:
        data = np.arange(4).reshape(2, 2).astype(NUMPY_TYPES[datatype])
    return Tensor(f"x-{datatype}", datatype, (2, 2), data, {"p": 1})


def test_a_request_with_every_datatype_arrives_as_it_was() -> None:
    request = InferenceRequest(
        "m", [tensor(each) for each in NUMPY_TYPES], "id-1", PARAMETERS, [RequestedOutput("y", {"binary_data": True})]
    )
    arrived = codec.decode(encode_request(request).SerializeToString(), {}).request
    assert (arrived.model_name, arrived.id, arrived.parameters) == ("m", "id-1", PARAMETERS)
    assert [(each.name, each.parameters) for each in arrived.outputs] == [("y", {})]
    for sent, got in zip(request.inputs, arrived.inputs, strict=True):
        assert (got.name, got.datatype, got.shape, got.parameters) == (sent.name, sent.datatype, (2, 2), {"p": 1})
        assert np.array_equal(got.data, sent.data)


@pytest.mark.parametrize("raw", [True, False])
def test_an_answer_is_read_in_both_forms(raw: bool) -> None:
    kinds = [each for each in NUMPY_TYPES if raw or each not in ("FP16", "BF16")]
    response = InferenceResponse("m", [tensor(each) for each in kinds], "id-1", "2", PARAMETERS)
    message = codec.encode(response, codec.Call(InferenceRequest("m", []), "", raw))
    got = decode_response(pb.ModelInferResponse.FromString(message))
    assert (got.model_name, got.id, got.model_version, got.parameters) == ("m", "id-1", "2", PARAMETERS)
    for sent, read in zip(response.outputs, got.outputs, strict=True):
        assert (read.name, read.datatype, read.shape) == (sent.name, sent.datatype, (2, 2))
        assert np.array_equal(read.data, sent.data)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(TypeError, match="parameter 'p' is of type list; gRPC carries bool, int, float and str"):
        encode_request(InferenceRequest("m", [], parameters={"p": [1]}))
    odd = pb.ModelInferResponse()
    odd.outputs.add(name="y", datatype="FP128", shape=[1])
    with pytest.raises(InvalidInput, match="output 'y' has datatype 'FP128', which is none of the protocol's"):
        decode_response(odd)
    answer = pb.ModelInferResponse(raw_output_contents=[b"", b""])
    answer.outputs.add(name="y", datatype="FP32", shape=[1])
    with pytest.raises(InvalidInput, match="raw_output_contents has 2 entries for 1 outputs"):
        decode_response(answer)
