"""Small documents take the short way, and what they mean does not depend on it: the same with spaces up to 4 KiB."""

import json
from typing import Any

import numpy as np
import pytest
from modelwright.codecs import v2
from modelwright.errors import InvalidInput


def tensor(datatype: str, data: list[Any], **more: object) -> dict[str, Any]:
    return {"name": "x", "datatype": datatype, "shape": [len(data)], "data": data, **more}


def body(*tensors: dict[str, Any], **more: object) -> bytes:
    return json.dumps({"inputs": list(tensors), **more}).encode()


def both(text: bytes) -> tuple[object, object]:
    """Return what a text and the same text with many spaces behind it are read as: a request or a refusal's words."""
    answers: list[object] = []
    for padded in (text, text + b" " * 4096):
        try:
            request = v2.decode(padded, {})
        except InvalidInput as error:
            answers.append(error.message)
        else:
            described = [(each.name, each.datatype, each.shape, each.parameters) for each in request.inputs]
            arrays = [(each.data.dtype.str, each.data.tolist()) for each in request.inputs]
            asked = [(each.name, each.parameters) for each in request.outputs]
            answers.append((described, repr(arrays), request.id, request.parameters, asked))
    return answers[0], answers[1]


@pytest.mark.parametrize(
    "text",
    [
        body(tensor("FP32", [1, 2.5, -0.0])),
        body(tensor("FP32", [3.4028234663852886e38, 3.4028235e38])),
        body(tensor("FP32", [3.4028235677973366e38])),
        body(tensor("FP16", [65504, 65519.99])),
        body(tensor("FP16", [65520])),
        body(tensor("FP64", [1.7976931348623157e308])),
        body(tensor("FP32", [1e-50, 2**60 + 1])),
        body(tensor("FP32", [])),
        body(tensor("BF16", [1.00390625, 3.0])),
        body(tensor("INT8", [127, 128])),
        body(tensor("UINT64", [2**64 - 1])),
        body(tensor("BOOL", [True, 0, 1])),
        body(tensor("BYTES", ["a: b", '"c":', "d"])),
        body(tensor("FP32", [1], parameters={"scale": 2, "a:b": "c:d"}), parameters={"k": {"deep": 1}}, id="i:1"),
        body(tensor("FP32", [1]), outputs=[{"name": "y", "parameters": {"binary_data": False}}]),
        body(tensor("FP32", [1]), unknown={"fields": {"are": "ignored"}}),
        body(tensor("BYTES", ["a:"])).replace(b'"shape"', b'"name": "y", "shape"'),
        body(tensor("FP32", [1])).replace(b'"shape"', b'"data": [2], "shape"'),
        body(tensor("FP32", [1])).replace(b'"inputs"', b'"id": "1", "id": "2", "inputs"'),
    ],
)
def test_length_makes_no_difference(text: bytes) -> None:
    small, large = both(text)
    assert small == large


def test_the_largest_float_is_taken_and_what_rounds_past_it_is_not() -> None:
    largest = float(np.finfo(np.float32).max)
    assert v2.decode(body(tensor("FP32", [largest, -largest])), {}).inputs[0].data.tolist() == [largest, -largest]
    with pytest.raises(InvalidInput, match="element 1 of 'data'"):
        v2.decode(body(tensor("FP32", [1, -1e39])), {})
