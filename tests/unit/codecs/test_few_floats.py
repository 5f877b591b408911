"""The one pass over a small tensor takes what the long way takes, and leaves it everything else."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright.codecs import few_floats, v2
from modelwright.codecs.few_floats import few_floats as read

NUMBERS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=128)


def part(**changed: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1.5, 2.0]} | changed


@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
@given(numbers=NUMBERS)
def test_it_reads_what_the_long_way_reads(datatype: str, numbers: list[float]) -> None:
    document = part(datatype=datatype, shape=[1, len(numbers)], data=numbers)
    plain = read(document)
    # Nested, the same data goes the long way.
    (long,) = v2.decode(json.dumps({"inputs": [document | {"data": [numbers]}]}).encode(), {}).inputs
    assert plain is not None
    assert (plain.name, plain.datatype, plain.shape, plain.parameters) == ("x", datatype, (1, len(numbers)), {})
    assert plain.data.dtype == long.data.dtype
    assert plain.data.tobytes() == long.data.tobytes()


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ""},
        {"name": 3},
        {"datatype": "FP16"},
        {"datatype": "INT32"},
        {"datatype": ["FP32"]},
        {"shape": 2},
        {"shape": [3]},
        {"shape": [2.0]},
        {"shape": [True, 2]},
        {"shape": [-1, -2]},
        {"shape": [0], "data": []},
        {"shape": [1] * 31 + [2, 1]},
        {"data": [1.5, 2]},
        {"data": [1.5, None]},
        {"data": [1.5, True]},
        {"data": [[1.5, 2.0]]},
        {"data": [1.5, 3.5e38]},
        {"data": [1.5, float("nan")]},
        {"data": {"a": 1.5}},
        {"shape": [129], "data": [0.5] * 129},
        {"parameters": {}},
    ],
)
def test_it_leaves_everything_else_to_the_long_way(changed: dict[str, Any]) -> None:
    assert read(part(**changed)) is None


def test_a_name_that_is_there_twice_is_refused() -> None:
    body = json.dumps({"inputs": [part(), part()]}).encode()
    with pytest.raises(v2.InvalidInput, match="input 'x' is there twice"):
        v2.decode(body, {})


def test_the_largest_numbers_stay_finite() -> None:
    for datatype, largest in few_floats._LARGEST.items():
        plain = read(part(datatype=datatype, data=[largest, -largest]))
        assert plain is not None
        assert np.isfinite(plain.data).all()
