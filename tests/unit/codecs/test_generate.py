"""Triton's flat JSON to requests and back, with and without declared inputs."""

from contextlib import suppress
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright.codecs import generate, openai
from modelwright.errors import InvalidInput
from modelwright.tensors import InferenceRequest, InferenceResponse, Tensor

DECLARED = {"prompt": ("BYTES", 2), "top": ("INT64", 1), "weights": ("FP32", 2)}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    ["text_input", "parameters", "id", "model", "messages", "prompt", "input", "stream", "stop", "role", "content"]
)


def body(**fields: Any) -> bytes:
    return orjson.dumps(fields)


def test_text_input_is_what_a_model_without_declared_inputs_has() -> None:
    request = generate.decode(body(text_input="hi", id="7", parameters={"a": 1}, b=True), {})
    assert [(t.name, t.datatype, t.shape, t.data.tolist()) for t in request.inputs] == [
        ("text_input", "BYTES", (1,), [b"hi"])
    ]
    assert (request.id, request.parameters) == ("7", {"a": 1, "b": True})


def test_declared_inputs_get_their_datatype_and_dimensions() -> None:
    request = generate.decode(body(prompt="hi", weights=[1, 2.5], top=3, temperature=0.5), DECLARED)
    assert {t.name: (t.datatype, t.shape, t.data.ravel().tolist()) for t in request.inputs} == {
        "prompt": ("BYTES", (1, 1), [b"hi"]),
        "top": ("INT64", (1,), [3]),
        "weights": ("FP32", (1, 2), [1.0, 2.5]),
    }
    assert request.parameters == {"temperature": 0.5}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"top": "three"}, "'top'"),
        ({"top": 2.5}, "'top'"),
        ({"top": [[1]]}, "'top'"),
        ({"prompt": {"a": 1}}, "'prompt'"),
        ({"text_input": "not an input of this model"}, "'prompt', 'top', 'weights'"),
        ({"top": 1, "extra": [1]}, "'extra'"),
        ({"top": 1, "extra": None}, "'extra'"),
    ],
)
def test_what_does_not_fit_is_named(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        generate.decode(body(**fields), DECLARED)


def test_a_body_with_inputs_or_binary_tensors_is_not_flat() -> None:
    assert generate.is_flat(body(text_input="a"), {})
    assert not generate.is_flat(body(inputs=[]), {})
    assert not generate.is_flat(b"{}binary", {"inference-header-content-length": "2"})


def test_an_answer_of_one_element_has_no_list() -> None:
    numbers = np.array([[1, 2]], np.int64)
    text = np.array([b"hi"], dtype=object)
    outputs = [Tensor("n", "INT64", (1, 2), numbers), Tensor("text_output", "BYTES", (1,), text)]
    response = InferenceResponse("m", outputs, model_version="1", parameters={"final": True})
    assert orjson.loads(generate.encode(response, InferenceRequest("m", [], "7"))) == {
        "n": [1, 2], "text_output": "hi", "final": True, "id": "7", "model_name": "m", "model_version": "1",
    }  # fmt: skip


@given(JSON | st.dictionaries(FIELDS, JSON, max_size=5))
def test_any_json_is_a_request_or_refused(value: Any) -> None:
    try:
        text = orjson.dumps(value)
    except TypeError:
        return
    for declared in ({}, DECLARED):
        with suppress(InvalidInput):
            generate.decode(text, declared)
    for required, fields in (("messages", openai.CHAT), ("prompt", openai.COMPLETION), ("input", openai.EMBEDDING)):
        with suppress(InvalidInput):
            openai.read(text, required, fields)
