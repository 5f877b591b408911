"""The first question that a service is asked where its folder has no input.json."""

from __future__ import annotations

import pytest
from modelwright.authoring.asking import first
from modelwright.authoring.errors import Mistake
from modelwright.model import ModelMetadata, TensorMetadata


def test_every_input_is_zeros_and_a_free_dimension_is_one() -> None:
    inputs = (
        TensorMetadata("x", "FP32", (-1, 4)),
        TensorMetadata("t", "BYTES", (-1,)),
        TensorMetadata("b", "BOOL", (2,)),
    )
    assert first.example(ModelMetadata("iris", "", (), inputs, ())) == {
        "inputs": [
            {"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [0, 0, 0, 0]},
            {"name": "t", "datatype": "BYTES", "shape": [1], "data": [""]},
            {"name": "b", "datatype": "BOOL", "shape": [2], "data": [False, False]},
        ]
    }


@pytest.mark.parametrize("metadata", [None, ModelMetadata("iris", "", (), (), ())])
def test_a_model_that_declares_nothing_needs_an_input_json(metadata: ModelMetadata | None) -> None:
    with pytest.raises(Mistake, match=r"write the request that it takes into the folder's input\.json"):
        first.example(metadata)
