"""A V2 request and a V2 response survive the wire, in either form, for every datatype."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright.codecs import v2
from modelwright.errors import InferenceError, InvalidInput
from modelwright.tensors import NUMPY_TYPES, InferenceRequest, InferenceResponse, RequestedOutput, Tensor

from tests.unit.codecs.strategies import binary_request, json_request, same, several


def joined(body: bytes | list) -> bytes:
    return body if isinstance(body, bytes) else b"".join(body)


def assert_same(left: list[Tensor], right: list[Tensor]) -> None:
    assert [(t.name, t.datatype, t.shape) for t in left] == [(t.name, t.datatype, t.shape) for t in right]
    for one, other in zip(left, right, strict=True):
        assert same(one.data, other.data), (one, other)


@given(several(finite=True), st.booleans())
def test_a_json_request_arrives_flat_or_nested(tensors: list[Tensor], nested: bool) -> None:
    assert_same(v2.decode(json_request(tensors, nested=nested), {}).inputs, tensors)


@given(several())
def test_a_binary_request_arrives(tensors: list[Tensor]) -> None:
    body, headers = binary_request(tensors)
    assert_same(v2.decode(body, headers).inputs, tensors)
    assert_same(v2.decode(memoryview(body), headers).inputs, tensors)


@given(several(), st.booleans())
def test_a_response_returns(tensors: list[Tensor], binary: bool) -> None:
    request = InferenceRequest("m", [], "7", {"binary_data_output": binary})
    body, headers = v2.encode(InferenceResponse("m", tensors, None, "1"), request)
    answer = v2.decode_response(joined(body), headers)
    assert (answer.model_name, answer.model_version, answer.id) == ("m", "1", "7")
    if not binary:
        for tensor in tensors:
            if tensor.data.dtype.kind == "f":
                tensor.data = np.where(np.isfinite(tensor.data), tensor.data, np.nan).astype(tensor.data.dtype)
    assert_same(answer.outputs, tensors)


def test_the_fields_of_a_request_arrive() -> None:
    body = json.dumps(
        {
            "id": "abc",
            "parameters": {"top_k": 3, "nested": {"a": [1, [2]]}},
            "inputs": [{"name": "x", "shape": [1], "datatype": "INT8", "data": [1], "parameters": {"p": "[["}}],
            "outputs": [{"name": "y", "parameters": {"binary_data": True}}, {"name": "z"}],
            "unknown": [[]],
        }
    ).encode()
    headers = {"traceparent": "00"}
    request = v2.decode(body, headers, model_name="m")
    assert request == InferenceRequest(
        "m",
        [Tensor("x", "INT8", (1,), request.inputs[0].data, {"p": "[["})],
        "abc",
        {"top_k": 3, "nested": {"a": [1, [2]]}},
        [RequestedOutput("y", {"binary_data": True}), RequestedOutput("z")],
        headers,
    )


def test_null_fields_are_absent_fields() -> None:
    body = (
        b'{"id":null,"parameters":null,"outputs":null,'
        b'"inputs":[{"name":"x","shape":[0],"datatype":"FP32","data":[],"parameters":null}]}'
    )
    request = v2.decode(body, {})
    assert (request.id, request.parameters, request.outputs, request.inputs[0].parameters) == (None, {}, [], {})


def test_a_binary_tensor_is_a_read_only_view_of_the_body() -> None:
    tensor = Tensor("x", "FP32", (2, 3), np.arange(6, dtype="<f4").reshape(2, 3))
    body, headers = binary_request([tensor])
    buffer = bytearray(body)
    for form in (body, memoryview(body), memoryview(buffer)):
        data = v2.decode(form, headers).inputs[0].data
        assert np.shares_memory(data, np.frombuffer(form, np.uint8))
        assert not data.flags.writeable


def test_a_binary_tensor_may_stand_beside_one_in_json() -> None:
    head = json.dumps(
        {
            "inputs": [
                {"name": "a", "shape": [2], "datatype": "INT16", "data": [1, 2]},
                {"name": "b", "shape": [2], "datatype": "INT16", "parameters": {"binary_data_size": 4, "unit": "m"}},
            ]
        }
    ).encode()
    headers = {v2.HEADER_LENGTH: str(len(head))}
    one, other = v2.decode(head + b"\x03\0\x04\0", headers).inputs
    assert one.data.tolist() == [1, 2]
    assert other.data.tolist() == [3, 4]
    assert other.parameters == {"unit": "m"}


@pytest.mark.parametrize("shape", [[2, 3], [1, 2, 3], [2, 1, 3], [2, 3, 1]])
def test_dimensions_of_one_may_be_left_out_of_nested_data(shape: list[int]) -> None:
    body = json.dumps({"inputs": [{"name": "x", "shape": shape, "datatype": "INT64", "data": [[1, 2, 3], [4, 5, 6]]}]})
    assert v2.decode(body.encode(), {}).inputs[0].data.tolist() == np.arange(1, 7).reshape(shape).tolist()


@pytest.mark.parametrize(
    ("datatype", "data", "expected"),
    [
        ("INT32", "[3.0, -0.0]", [3, 0]),
        ("BOOL", "[0, 1]", [False, True]),
        ("FP64", "[18446744073709551616, 1]", [2.0**64, 1.0]),
        ("FP32", "[16777217, 1e-50]", [16777216.0, 0.0]),
        ("UINT64", "[18446744073709551615, 0]", [2**64 - 1, 0]),
        ("INT64", "[-9223372036854775808, 9223372036854775807]", [-(2**63), 2**63 - 1]),
        ("FP16", "[65504, 0.1]", [65504.0, float(np.float16(0.1))]),
        ("BF16", "[1.00390625, 3.389e38]", [1.0, float.fromhex("0x1.fep127")]),
    ],
)
def test_numbers_are_taken_by_value(datatype: str, data: str, expected: list) -> None:
    body = f'{{"inputs":[{{"name":"x","shape":[2],"datatype":"{datatype}","data":{data}}}]}}'.encode()
    array = v2.decode(body, {}).inputs[0].data
    assert array.tolist() == expected
    assert array.dtype == NUMPY_TYPES[datatype]


def response(**outputs: np.ndarray) -> InferenceResponse:
    names = {np.dtype(np.float32): "FP32", np.dtype(object): "BYTES"}
    return InferenceResponse("m", [Tensor(n, names[a.dtype], a.shape, a) for n, a in outputs.items()])


def test_requested_outputs_are_honoured_in_their_order_and_form() -> None:
    answer = response(a=np.ones(2, np.float32), b=np.zeros(1, np.float32), c=np.zeros(1, np.float32))
    outputs = [RequestedOutput("c", {"binary_data": False}), RequestedOutput("a")]
    body, headers = v2.encode(answer, InferenceRequest("m", [], None, {"binary_data_output": True}, outputs))
    assert isinstance(body, list)
    head = json.loads(body[0])
    assert headers == {"content-type": "application/octet-stream", v2.HEADER_LENGTH: str(len(body[0]))}
    assert head["outputs"] == [
        {"name": "c", "shape": [1], "datatype": "FP32", "data": [0.0]},
        {"name": "a", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": 8}},
    ]
    assert bytes(body[1]) == np.ones(2, np.float32).tobytes()
    assert np.shares_memory(np.frombuffer(body[1], np.uint8), answer.outputs[0].data)


def test_an_unknown_requested_output_is_refused() -> None:
    with pytest.raises(InvalidInput, match="output 'q' is not one of the model's: 'a'"):
        v2.encode(response(a=np.ones(1, np.float32)), InferenceRequest("m", [], outputs=[RequestedOutput("q")]))


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64", "BF16"])
def test_null_among_floats_is_nan_as_it_is_in_answers(datatype: str) -> None:
    inputs = [{"name": "x", "shape": [2, 2], "datatype": datatype, "data": [[1, None], [None, 2.5]]}]
    read = v2.decode(json.dumps({"inputs": inputs}).encode(), {})
    np.testing.assert_array_equal(read.inputs[0].data.astype(np.float64), [[1, np.nan], [np.nan, 2.5]])


def test_nan_is_null_in_json() -> None:
    body, _ = v2.encode(response(a=np.array([np.nan, np.inf, 1.5], np.float32)), InferenceRequest("m", []))
    assert json.loads(joined(body))["outputs"][0]["data"] == [None, None, 1.5]


def test_bytes_that_are_not_text_need_the_binary_form() -> None:
    answer = response(a=np.array([b"\xff"], object))
    with pytest.raises(InvalidInput, match=r"output 'a' holds bytes that are not text.*binary_data"):
        v2.encode(answer, InferenceRequest("m", []))
    body, _ = v2.encode(answer, InferenceRequest("m", [], parameters={"binary_data_output": True}))
    assert joined(body).endswith(b"\x01\0\0\0\xff")


def test_arrays_of_any_layout_are_written() -> None:
    grid = np.arange(6, dtype=">f8").reshape(2, 3).T
    answer = InferenceResponse("m", [Tensor("a", "FP32", (3, 2), grid), Tensor("b", "BYTES", (1,), np.array(["ü"]))])
    for binary in (False, True):
        body, headers = v2.encode(answer, InferenceRequest("m", [], parameters={"binary_data_output": binary}))
        first, second = v2.decode_response(joined(body), headers).outputs
        assert first.data.tolist() == grid.tolist()
        assert second.data.tolist() == ["ü".encode()]


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (Tensor("a", "FP32", (3,), np.zeros(2, np.float32)), r"says shape \[3\], but its data has \[2\]"),
        (Tensor("a", "FP31", (2,), np.zeros(2, np.float32)), "unknown datatype 'FP31'"),
        (Tensor("a", "INT8", (2,), np.zeros(2, np.float32)), "says INT8, but its data is float32"),
        (Tensor("a", "FP32", (1,), np.zeros(1, np.float32), {"p": object()}), "type object has no JSON form"),
    ],
)
def test_a_model_that_breaks_its_word_is_an_error_of_the_server(tensor: Tensor, message: str) -> None:
    with pytest.raises(InferenceError, match=message) as caught:
        v2.encode(InferenceResponse("m", [tensor]), InferenceRequest("m", []))
    assert caught.value.status == 500
