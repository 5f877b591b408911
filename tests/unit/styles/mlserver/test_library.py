"""Our `mlserver`: its types, codecs, settings and what authors use besides, as the genuine ones behave."""

from __future__ import annotations

import contextvars
import copy
import pickle
from datetime import datetime
from typing import List, Optional, Tuple, Union  # noqa: UP035 - authors write these

import numpy as np
import pytest
from modelwright.styles.mlserver.library import types
from modelwright.styles.mlserver.library.codecs import (
    Base64Codec,
    DatetimeCodec,
    NumpyCodec,
    NumpyRequestCodec,
    StringCodec,
    StringRequestCodec,
    decode_args,
    get_decoded_or_raw,
    has_decoded,
    register_input_codec,
)
from modelwright.styles.mlserver.library.codecs.base import InputCodec, find_input_codec, find_request_codec
from modelwright.styles.mlserver.library.codecs.errors import CodecError, CodecNotFound, InputsMissing
from modelwright.styles.mlserver.library.errors import InvalidModelURI
from modelwright.styles.mlserver.library.metrics import errors as metrics_errors
from modelwright.styles.mlserver.library.metrics import log
from modelwright.styles.mlserver.library.model import MLModel
from modelwright.styles.mlserver.library.settings import ModelSettings, Settings
from modelwright.styles.mlserver.library.types.base import advise
from modelwright.styles.mlserver.library.types.tensor_data import with_nulls
from modelwright.styles.mlserver.library.utils import extract_headers, get_model_uri, insert_headers

from tests.unit.styles.mlserver.authors import run

INPUT = {"name": "x", "shape": [2], "datatype": "FP32", "data": [1.0, 2.0]}


def a_request(**more) -> types.InferenceRequest:
    return types.InferenceRequest(inputs=[INPUT], **more)


def test_types_are_made_of_keywords_and_dictionaries() -> None:
    made = a_request(id="1", parameters={"content_type": "np", "extra": 3}, outputs=[{"name": "y"}])
    first = made.inputs[0]
    assert isinstance(first, types.RequestInput)
    assert (first.name, first.shape, first.datatype, list(first.data)) == ("x", [2], "FP32", [1.0, 2.0])
    assert (made.parameters.content_type, made.parameters.extra, made.parameters.headers) == ("np", 3, None)
    assert made.outputs[0].name == "y"


def test_dumps_leave_out_what_was_not_given() -> None:
    made = types.InferenceResponse(model_name="m", outputs=[types.ResponseOutput(**INPUT)])
    assert made.model_dump() == {"model_name": "m", "outputs": [INPUT]}
    assert made.dict() == made.model_dump()
    assert made.model_dump(exclude_none=False, exclude_unset=False)["id"] is None
    assert made.model_dump(include={"model_name"}) == {"model_name": "m"}
    assert types.InferenceResponse.model_validate_json(made.model_dump_json()) == made


def test_equality_copies_and_pickles() -> None:
    made = a_request(parameters=types.Parameters(headers={"a": "b"}))
    for other in (made.model_copy(deep=True), copy.deepcopy(made), pickle.loads(pickle.dumps(made)), made.copy()):
        assert other == made
    assert made.model_copy(update={"id": "2"}) != made
    assert made != made.model_dump()


class Named(types.InferenceResponse):
    def __init__(self, by: str, **fields) -> None:
        super().__init__(**fields)
        self.by = by


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_authors_make_of_the_types_is_pickled_whole(protocol) -> None:
    made = Named("ada", outputs=[types.ResponseOutput(**INPUT, parameters={"mine": 1})])
    made.outputs[0]._seen = True
    other = pickle.loads(pickle.dumps(made, protocol))
    assert (type(other), other, other.by, other.outputs[0]._seen) == (Named, made, "ada", True)
    assert (other.model_name, other.id, other.outputs[0].parameters.mine) == ("", None, 1)


def test_what_is_made_of_known_values_needs_no_others() -> None:
    made = types.RequestInput.model_construct(name="x")
    assert (made.name, made.parameters, hasattr(made, "data")) == ("x", None, False)
    assert copy.copy(made).name == "x"
    assert types.InferenceResponse.model_construct(outputs=[]).model_dump() == {"outputs": []}


def test_a_response_is_made_of_keywords() -> None:
    with pytest.raises(TypeError, match="outputs"):
        types.InferenceResponse(model_name="m")
    with pytest.raises(ValueError, match="outputs must be a list, not int"):
        types.InferenceResponse(outputs=5)
    with pytest.raises(ValueError, match="ResponseOutput is made of an object, not of RequestInput"):
        types.InferenceResponse(outputs=[types.RequestInput(**INPUT)])
    with pytest.raises(ValueError, match="model_name must be a string, not int"):
        types.InferenceResponse(model_name=5, outputs=[])
    given = [types.ResponseOutput(**INPUT)]
    made = types.InferenceResponse(outputs=given, unknown=1)
    assert made.outputs == given
    assert made.outputs is not given


def test_a_misspelled_attribute_is_named_with_the_right_one() -> None:
    with pytest.raises(AttributeError, match="no attribute 'parametes'") as raised:
        _ = a_request().parametes
    advise(raised.value)
    assert raised.value.__notes__ == ["did you mean 'parameters'?"]
    with pytest.raises(AttributeError, match="'Parameters' object has no attribute 'nothing'"):
        _ = types.Parameters().nothing
    with pytest.raises(AttributeError, match="no attribute 'max_batchsize'; did you mean 'max_batch_size'"):
        _ = ModelSettings(name="m", implementation="a.B").max_batchsize


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"datatype": "FP8"}, "datatype must be one of"),
        ({"shape": ["two"]}, "shape must be a list of integers"),
        ({"name": 5}, "name must be a string"),
        ({"parameters": 5}, "Parameters is made of an object"),
        ({"parameters": {"headers": 5}}, "headers must be a dictionary"),
    ],
)
def test_what_does_not_fit(change, said) -> None:
    with pytest.raises(ValueError, match=said):
        types.RequestInput(**{**INPUT, **change})


def test_a_missing_field_of_a_document() -> None:
    with pytest.raises(ValueError, match=r"RequestInput.*'data'"):
        types.InferenceRequest.model_validate({"inputs": [{k: v for k, v in INPUT.items() if k != "data"}]})


def test_elements_are_a_list_made_when_looked_at() -> None:
    data = types.TensorData.of(np.array([[1.0, np.nan]]), with_nulls)
    assert len(data) == 2
    assert data.array is not None
    assert data.root == [1.0, None]
    data.root[0] = 5
    assert list(data) == [5, None]
    assert data[0] == 5


@pytest.mark.parametrize(
    ("codec", "payload", "data"),
    [
        (StringCodec, ["a", "ä"], [b"a", "ä".encode()]),
        (Base64Codec, [b"\x00\x01"], [b"AAE="]),
        (DatetimeCodec, [datetime(2024, 2, 29, 12)], [b"2024-02-29T12:00:00"]),
    ],
)
def test_list_codecs_there_and_back(codec, payload, data) -> None:
    assert codec.can_encode(payload)
    assert not codec.can_encode((1,))
    output = codec.encode_output("o", payload)
    assert (output.shape, output.datatype, output.data.root) == ([len(payload), 1], "BYTES", data)
    assert output.parameters.content_type == codec.ContentType
    assert codec.decode_output(output) == payload
    assert codec.decode_input(codec.encode_input("i", payload, use_bytes=False)) == payload


@pytest.mark.parametrize(
    ("array", "datatype", "shape"),
    [
        (np.array([1, 2]), "INT64", [2, 1]),
        (np.array(3.0, np.float32), "FP32", [1]),
        (np.array([["a"]]), "BYTES", [1, 1]),
        (np.array([True, False]).reshape(1, 2), "BOOL", [1, 2]),
    ],
)
def test_arrays_there_and_back(array, datatype, shape) -> None:
    output = NumpyCodec.encode_output("o", array)
    assert (output.datatype, output.shape) == (datatype, shape)
    back = NumpyCodec.decode_output(output)
    assert back.shape == tuple(shape)
    assert [
        each.decode() if isinstance(each, bytes) else each for each in back.ravel().tolist()
    ] == array.ravel().tolist()


def test_an_array_without_datatype_names_the_output() -> None:
    with pytest.raises(CodecError, match=r"'o'.*complex128"):
        NumpyCodec.encode_output("o", np.array([1j]))


def test_an_array_of_the_wrong_shape_names_the_input() -> None:
    with pytest.raises(CodecError, match=r"'x' is no FP32 array of shape \[3\]"):
        NumpyCodec.decode_input(types.RequestInput(**{**INPUT, "shape": [3]}))


def test_a_decoded_array_may_be_written_into() -> None:
    array = np.arange(2.0)
    array.flags.writeable = False
    given = types.RequestInput.model_construct(name="x", shape=[2], datatype="FP64", data=types.TensorData.of(array))
    NumpyCodec.decode_input(given)[0] = 9
    assert array[0] == 0


def test_authors_extend_the_codec_of_arrays() -> None:
    class Doubled(NumpyCodec):
        @classmethod
        def decode_input(cls, request_input):
            return 2 * super().decode_input(request_input=request_input)

    made = Doubled.encode_input(name="x", payload=np.array([1.0]), unknown=1)
    assert isinstance(made, types.RequestInput)
    assert Doubled.decode(made).tolist() == Doubled().decode_input(made).tolist() == [[2.0]]
    assert NumpyCodec().decode_output(NumpyCodec.encode("y", np.array([1.0]))).tolist() == [[1.0]]


def test_an_array_that_its_author_changes_counts_as_it_is_then() -> None:
    output = NumpyCodec.encode_output("y", np.array([1.0, 2.0]))
    output.data.root[0] = 5.0
    assert NumpyCodec.decode_output(output).tolist() == [[5.0], [2.0]]
    output.shape = [2]
    assert NumpyCodec.decode_output(output).tolist() == [5.0, 2.0]
    output.data = [7.0]
    assert (output.data, output.model_dump()["data"]) == ([7.0], [7.0])


def test_whole_requests() -> None:
    request = StringRequestCodec.encode_request(["a"])
    assert (request.inputs[0].name, request.parameters.content_type) == ("input-1", "str")
    assert StringRequestCodec.decode_request(request) == ["a"]
    assert has_decoded(request.inputs[0])
    assert get_decoded_or_raw(request.inputs[0]) == ["a"]
    response = NumpyRequestCodec.encode_response("m", np.array([1.0]))
    assert NumpyRequestCodec.decode_response(response).tolist() == [[1.0]]
    with pytest.raises(CodecError, match=r"only supports a single input tensor \(2 were received\)"):
        NumpyRequestCodec.decode_request(types.InferenceRequest(inputs=[INPUT, INPUT]))


@pytest.mark.parametrize(
    "hint",
    [List[str], list[str], Optional[List[str]], list[str] | None, Union[None, List[str]]],  # noqa: UP006, UP007, UP045
)
def test_hints_that_are_one(hint) -> None:
    assert find_input_codec(type_hint=hint) is StringCodec


@pytest.mark.parametrize("hint", [list[datetime], list[str | datetime], List[Union[str, datetime]]])  # noqa: UP006, UP007
def test_hints_of_dates(hint) -> None:
    assert find_input_codec(type_hint=hint) is DatetimeCodec


def test_hints_of_arrays_and_frames() -> None:
    pandas = pytest.importorskip("pandas")
    assert find_input_codec(type_hint=np.ndarray) is NumpyCodec
    assert find_input_codec(type_hint=np.ndarray[tuple[int], np.dtype[np.float32]]) is NumpyCodec
    assert find_request_codec(type_hint=pandas.DataFrame).ContentType == "pd"
    assert find_request_codec("pd").can_encode(pandas.DataFrame())


class Signed(MLModel):
    @decode_args
    async def predict(
        self,
        a: list[str],
        b: np.ndarray | None,
        c: list[bytes] = [b"d"],  # noqa: B006
    ) -> Tuple[list[str], np.ndarray]:  # noqa: UP006
        return [str(b), str(c)], np.array([len(a)])


def model_of(kind: type[MLModel]) -> MLModel:
    return kind(ModelSettings(name="m", implementation=kind, parameters={"version": "7"}))


def test_decode_args_with_what_python_311_writes() -> None:
    answer = run(model_of(Signed).predict(types.InferenceRequest(inputs=[StringCodec.encode_input("a", ["x", "y"])])))
    assert (answer.model_name, answer.model_version) == ("m", "7")
    assert [each.name for each in answer.outputs] == ["output-0", "output-1"]
    assert StringCodec.decode_output(answer.outputs[0]) == ["None", "[b'd']"]


def test_decode_args_names_what_is_missing() -> None:
    with pytest.raises(InputsMissing, match="Input 'a' is missing; the request has 'b'"):
        run(model_of(Signed).predict(types.InferenceRequest(inputs=[{**INPUT, "name": "b"}])))


def test_decode_args_without_a_return_hint_goes_by_the_value() -> None:
    class Unsaid(MLModel):
        @decode_args
        def predict(self, x: np.ndarray):
            return x.astype(str).tolist()

    assert run(model_of(Unsaid).predict(a_request())).outputs[0].parameters.content_type == "str"


def test_decode_args_refuses_at_once_what_it_cannot_fill() -> None:
    def unannotated(self, x): ...

    def several(self, *x: np.ndarray): ...

    def unknown(self, x: complex) -> np.ndarray: ...

    for predict, kind, said in (
        (unannotated, CodecError, "parameter 'x' has no type hint.*np.ndarray"),
        (several, CodecError, r"cannot fill \*x"),
        (unknown, CodecNotFound, "'x' and type <class 'complex'>"),
    ):
        with pytest.raises(kind, match=said):
            decode_args(predict)


def test_authors_register_codecs() -> None:
    class Point: ...

    @register_input_codec
    class PointCodec(InputCodec):
        ContentType = "point"
        TypeHint = Point

        @classmethod
        def can_encode(cls, payload):
            return isinstance(payload, Point)

    assert find_input_codec("point") is PointCodec
    assert find_input_codec(type_hint=Point) is PointCodec
    assert find_input_codec(payload=Point()) is PointCodec


def test_settings_of_file_and_environment(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MLSERVER_MODEL_MAX_BATCH_SIZE", "5")
    monkeypatch.setenv("MLSERVER_MODEL_EXTRA", '{"depth": 3}')
    monkeypatch.setenv("MLSERVER_MODEL_NAME", "loses")
    (tmp_path / "s.json").write_text(
        '{"name": "wins", "implementation": "a.B", "parameters": {"uri": "./w", "mine": 1}}'
    )
    settings = ModelSettings.parse_file(tmp_path / "s.json")
    assert (settings.name, settings.max_batch_size, settings.parameters.extra) == ("wins", 5, {"depth": 3})
    assert settings.parameters.mine == 1
    assert settings.model_dump()["implementation"] == "a.B"
    assert Settings(http_port=1).http_port == 1
    assert Settings().debug is True


def test_where_a_models_files_are(tmp_path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "model.bin").touch()
    settings = ModelSettings(name="m", implementation="a.B", parameters={"uri": "./weights"})
    settings._source = str(tmp_path / "model-settings.json")
    assert run(get_model_uri(settings)) == str(tmp_path / "weights")
    assert run(get_model_uri(settings, ["no.bin", "model.bin"])) == str(tmp_path / "weights" / "model.bin")
    settings.parameters.uri = "s3://bucket/key"
    assert run(get_model_uri(settings)) == "s3://bucket/key"
    settings.parameters.uri = "./absent"
    with pytest.raises(InvalidModelURI, match="absent"):
        run(get_model_uri(settings))


def test_headers_in_and_out() -> None:
    request = insert_headers(a_request(), {"a": "b"})
    assert request.parameters.headers == {"a": "b"}
    response = types.InferenceResponse(outputs=[], parameters={"headers": {"c": "d"}})
    assert (extract_headers(response), extract_headers(response)) == ({"c": "d"}, None)


def test_metrics_are_a_models() -> None:
    with pytest.raises(metrics_errors.InvalidModelContext, match="outside of a model context"):
        contextvars.Context().run(log, seconds=1)
