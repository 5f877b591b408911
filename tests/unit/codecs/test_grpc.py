"""The gRPC codec: tensors survive the round trip in both forms, and what is malformed is always the caller's fault."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from modelwright.codecs import grpc as codec
from modelwright.codecs.proto import generate
from modelwright.codecs.proto import open_inference_grpc_pb2 as pb
from modelwright.codecs.proto.contents import FIELDS
from modelwright.codecs.proto.contents import encode as put_contents
from modelwright.errors import InferenceError, InvalidInput
from modelwright.tensors import NUMPY_TYPES, InferenceRequest, InferenceResponse, RequestedOutput, Tensor

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=7)
PARAMETERS = st.dictionaries(
    st.text(max_size=8),
    st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8) | st.floats(allow_nan=False),
    max_size=3,
)


@st.composite
def tensors(draw: st.DrawFn, datatypes: list[str]) -> Tensor:
    datatype = draw(st.sampled_from(datatypes))
    shape = draw(SHAPES)
    if datatype == "BYTES":
        data = draw(hnp.arrays(object, shape, elements=st.binary(max_size=12), fill=st.nothing()))
    elif datatype == "BF16":
        # Values that BF16 holds exactly: small integers.
        data = draw(hnp.arrays(np.float32, shape, elements=st.integers(-128, 128)))
    else:
        data = draw(hnp.arrays(NUMPY_TYPES[datatype], shape))
    return Tensor(draw(st.text(min_size=1, max_size=8)), datatype, shape, data, draw(PARAMETERS))


def named(each: st.SearchStrategy[Tensor]) -> st.SearchStrategy[list[Tensor]]:
    return st.lists(each, min_size=1, max_size=3, unique_by=lambda tensor: tensor.name)


def encode(response: InferenceResponse, *, raw: bool, asked: tuple[str, ...] = ()) -> bytes:
    request = InferenceRequest("m", [], outputs=[RequestedOutput(name) for name in asked])
    return codec.encode(response, codec.Call(request, "", raw))


def as_request(response: bytes) -> bytes:
    """Turn an encoded answer into a request with the same tensors, field by field."""
    answer = pb.ModelInferResponse.FromString(response)
    request = pb.ModelInferRequest(
        model_name=answer.model_name, id=answer.id, raw_input_contents=answer.raw_output_contents
    )
    for output in answer.outputs:
        request.inputs.add().MergeFromString(output.SerializeToString())
    for key, value in answer.parameters.items():
        request.parameters[key].CopyFrom(value)
    return request.SerializeToString()


def assert_same(left: list[Tensor], right: list[Tensor]) -> None:
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        assert (a.name, a.datatype, a.shape, a.parameters) == (b.name, b.datatype, b.shape, b.parameters)
        assert (a.data.dtype, a.data.shape) == (b.data.dtype, b.data.shape)
        if a.datatype == "BYTES":
            assert a.data.tolist() == b.data.tolist()
        else:
            np.testing.assert_array_equal(a.data, b.data)


@given(named(tensors(list(NUMPY_TYPES))), PARAMETERS, st.text(max_size=8))
def test_raw_contents_survive_the_round_trip(sent, parameters, identity):
    answer = encode(InferenceResponse("m", sent, id=identity or None, parameters=parameters), raw=True)
    call = codec.decode(as_request(answer), {})
    assert call.raw
    assert (call.request.model_name, call.request.id, call.request.parameters) == ("m", identity or None, parameters)
    assert_same(sent, call.request.inputs)


@given(named(tensors(list(FIELDS))))
def test_typed_contents_survive_the_round_trip(sent):
    answer = encode(InferenceResponse("m", sent), raw=False)
    call = codec.decode(as_request(answer), {})
    assert not call.raw
    assert_same(sent, call.request.inputs)


@pytest.mark.parametrize("datatype", sorted(set(FIELDS) - {"BYTES"}))
def test_typed_contents_of_many_elements_survive_and_may_be_written_into(datatype):
    dtype = NUMPY_TYPES[datatype]
    data = np.arange(3 * 64 * 64).astype(dtype).reshape(3, 64, 64)
    sent = Tensor("x", datatype, data.shape, data.transpose(2, 0, 1).copy().transpose(1, 2, 0))
    answer = encode(InferenceResponse("m", [sent]), raw=False)
    (received,) = codec.decode(as_request(answer), {}).request.inputs
    np.testing.assert_array_equal(received.data, data)
    received.data[0, 0, 0] = 0


def test_raw_contents_of_a_large_request_are_not_copied():
    data = np.random.default_rng(1).random((1, 3, 224, 224), dtype=np.float32)
    answer = encode(InferenceResponse("m", [Tensor("x", "FP32", data.shape, data)]), raw=True)
    body = as_request(answer)
    (received,) = codec.decode(body, {}).request.inputs
    start = np.frombuffer(body, np.uint8).__array_interface__["data"][0]
    address = received.data.__array_interface__["data"][0]
    assert start <= address < start + len(body)
    np.testing.assert_array_equal(received.data, data)


def test_half_precision_goes_back_raw_even_to_a_caller_of_typed_contents():
    sent = [
        Tensor("half", "FP16", (2,), np.array([1.5, -2], np.float16)),
        Tensor("x", "INT8", (2,), np.array([1, -2], np.int8)),
    ]
    answer = pb.ModelInferResponse.FromString(encode(InferenceResponse("m", sent), raw=False))
    assert list(answer.raw_output_contents) == [sent[0].data.tobytes(), sent[1].data.tobytes()]
    assert not any(output.HasField("contents") for output in answer.outputs)


@pytest.mark.parametrize("value", [[1], {"a": 1}, 2**64, -(2**63) - 1])
def test_a_parameter_that_the_protocol_cannot_carry_is_the_models_mistake(value):
    with pytest.raises((TypeError, ValueError)):
        encode(InferenceResponse("m", [], parameters={"key": value}), raw=False)


def infer_request(*inputs: dict, raw: tuple[bytes, ...] = ()) -> bytes:
    return pb.ModelInferRequest(
        model_name="m",
        inputs=[pb.ModelInferRequest.InferInputTensor(**each) for each in inputs],
        raw_input_contents=raw,
    ).SerializeToString()


def contents(**fields: list) -> pb.InferTensorContents:
    return pb.InferTensorContents(**fields)


def test_outputs_are_those_asked_for_in_that_order():
    sent = [Tensor(name, "INT8", (1,), np.array([1], np.int8)) for name in "abc"]
    answer = pb.ModelInferResponse.FromString(encode(InferenceResponse("m", sent), raw=True, asked=("c", "a")))
    assert [output.name for output in answer.outputs] == ["c", "a"]
    assert len(answer.raw_output_contents) == 2
    with pytest.raises(InvalidInput, match="'d' is not one of the model's: 'a', 'b', 'c'"):
        encode(InferenceResponse("m", sent), raw=False, asked=("d",))


def test_the_answer_has_the_requests_id_unless_the_model_gives_one():
    call = codec.Call(InferenceRequest("m", [], id="theirs"), "", raw=False)
    assert pb.ModelInferResponse.FromString(codec.encode(InferenceResponse("m", []), call)).id == "theirs"
    assert pb.ModelInferResponse.FromString(codec.encode(InferenceResponse("m", [], id="ours"), call)).id == "ours"


def test_a_model_that_breaks_its_word_is_not_the_callers_fault():
    wrong = Tensor("y", "FP32", (3,), np.zeros(2, np.float32))
    for raw in (True, False):
        with pytest.raises(InferenceError, match="'y' says shape"):
            encode(InferenceResponse("m", [wrong]), raw=raw)


MALFORMED = {
    "no message": (b"\xff\xff\xff", "ModelInferRequest"),
    "text that is no UTF-8": (b"\x0a\x02\xff\xfe", "ModelInferRequest"),
    "unknown datatype": (infer_request({"name": "x", "datatype": "FP33", "shape": [1]}), "'FP33'"),
    "no datatype": (infer_request({"name": "x", "shape": [1]}), "'datatype'"),
    "negative shape": (infer_request({"name": "x", "datatype": "FP32", "shape": [-1, 4]}), "-1"),
    "shape past 64 bits": (infer_request({"name": "x", "datatype": "FP32", "shape": [2**62, 2**62]}), "shape"),
    "too many dimensions": (infer_request({"name": "x", "datatype": "FP32", "shape": [1] * 70}), "70"),
    "empty and huge": (infer_request({"name": "x", "datatype": "FP32", "shape": [0, 2**62, 2**62]}), "shape"),
    "no contents": (infer_request({"name": "x", "datatype": "FP32", "shape": [2]}), "2"),
    "too few elements": (
        infer_request({"name": "x", "datatype": "FP32", "shape": [2, 2], "contents": contents(fp32_contents=[1.0])}),
        "4",
    ),
    "contents of another type": (
        infer_request({"name": "x", "datatype": "FP32", "shape": [1], "contents": contents(int_contents=[1])}),
        "int_contents",
    ),
    "contents of two types": (
        infer_request(
            {"name": "x", "datatype": "INT8", "shape": [1], "contents": contents(int_contents=[1], fp32_contents=[1.0])}
        ),
        "fp32_contents",
    ),
    "out of range": (
        infer_request({"name": "x", "datatype": "INT8", "shape": [1], "contents": contents(int_contents=[200])}),
        "200 does not fit INT8",
    ),
    "unsigned out of range": (
        infer_request({"name": "x", "datatype": "UINT16", "shape": [1], "contents": contents(uint_contents=[2**16])}),
        "65536 does not fit UINT16",
    ),
    "typed half precision": (
        infer_request({"name": "x", "datatype": "FP16", "shape": [1], "contents": contents(fp32_contents=[1.0])}),
        "raw_input_contents",
    ),
    "raw of the wrong size": (
        infer_request({"name": "x", "datatype": "FP32", "shape": [2]}, raw=(b"1234",)),
        "8 bytes",
    ),
    "more raw than inputs": (
        infer_request({"name": "x", "datatype": "FP32", "shape": [1]}, raw=(b"1234", b"1234")),
        "2 entries for 1 inputs",
    ),
    "raw without inputs": (infer_request(raw=(b"1234",)), "'inputs' is empty"),
    "no inputs": (b"", "'inputs' is empty"),
    "no name": (infer_request({"datatype": "FP32", "shape": [0]}), "inputs[0] has no 'name'"),
    "one name twice": (infer_request(*[{"name": "x", "datatype": "FP32", "shape": [0]}] * 2), "'x' is there twice"),
    "both forms": (
        infer_request(
            {"name": "x", "datatype": "FP32", "shape": [1], "contents": contents(fp32_contents=[1.0])}, raw=(b"1234",)
        ),
        "both",
    ),
    "raw strings cut short": (
        infer_request({"name": "x", "datatype": "BYTES", "shape": [1]}, raw=(b"\x09\0\0\0abc",)),
        "9 bytes",
    ),
    "parameter without a value": (
        infer_request({"name": "x", "datatype": "FP32", "shape": [0], "parameters": {"key": pb.InferParameter()}}),
        "'key'",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_requests_are_named_and_refused(case):
    message, said = MALFORMED[case]
    with pytest.raises(InvalidInput) as refusal:
        codec.decode(message, {})
    assert said in refusal.value.message


def large_request() -> bytes:
    """A valid request, past the size from which raw contents are cut out of it."""
    data = np.arange(8000, dtype=np.float32)
    return infer_request(
        {"name": "x", "datatype": "FP32", "shape": [8000], "parameters": {"a": pb.InferParameter(int64_param=1)}},
        {"name": "y", "datatype": "UINT8", "shape": [3]},
        raw=(data.tobytes(), b"abc"),
    )


@settings(max_examples=300)
@given(st.data())
def test_mutated_requests_are_decoded_or_refused(data):
    mutated = bytearray(data.draw(st.sampled_from([large_request(), *(message for message, _ in MALFORMED.values())])))
    for _ in range(data.draw(st.integers(1, 4))):
        if mutated:
            # The end of the message is where the structure lies as often as in the middle, so both get a share.
            position = data.draw(st.integers(0, min(80, len(mutated) - 1)))
            position = position if data.draw(st.booleans()) else len(mutated) - 1 - position
            mutated[position : position + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    try:
        codec.decode(bytes(mutated), {})
    except InvalidInput as refusal:
        assert refusal.message


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_decoded_or_refused(message):
    try:
        codec.decode(message, {})
    except InvalidInput as refusal:
        assert refusal.message


def test_text_and_numbers_of_the_model_become_bytes_or_an_error():
    message = pb.InferTensorContents()
    put_contents(np.array(["ä", b"b"], dtype=object), "BYTES", message)
    assert list(message.bytes_contents) == ["ä".encode(), b"b"]
    with pytest.raises(TypeError, match="int"):
        put_contents(np.array([7], dtype=object), "BYTES", pb.InferTensorContents())


@pytest.mark.parametrize("proto", generate.NAMES)
def test_generated_files_are_those_of_the_proto(proto):
    folder = Path(generate.__file__).parent
    for name, text in generate.generate(proto).items():
        assert (folder / name).read_text() == text, "run python -m modelwright.codecs.proto.generate"
