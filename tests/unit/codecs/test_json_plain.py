"""Without orjson the same JSON is written."""

from __future__ import annotations

import json

import numpy as np
import pytest
from modelwright.codecs import json_text
from modelwright.errors import InferenceError


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, None, True, "\u00e4\n"], 3: {"b": (1,)}, None: 1, True: 2},
        {"nan": float("nan"), "inf": [float("inf"), -float("inf")]},
        {"array": np.arange(6, dtype=np.float32).reshape(2, 3), "scalar": np.int64(3), "half": np.float64(1.5)},
        {"bytes": b"text", "nan": np.array([np.nan, 1.0])},
        [],
        12345678901234567,
    ],
)
def test_it_is_what_orjson_writes(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = json.loads(json_text.write_json(value))
    monkeypatch.setattr(json_text, "_HAS_ORJSON", False)
    assert json.loads(json_text.write_json(value)) == expected


def test_what_has_no_json_form_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "_HAS_ORJSON", False)
    with pytest.raises(InferenceError, match="a value of type set has no JSON form"):
        json_text.write_json({"a": {1}})
    with pytest.raises(InferenceError, match="cannot be written as JSON"):
        json_text.write_json({"a": b"\xff"})
