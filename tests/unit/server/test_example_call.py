"""The curl command in the log asks the model something that it can answer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from modelwright.model import ModelMetadata, TensorMetadata
from modelwright.server.example_call import command


def model(*inputs: TensorMetadata) -> Any:
    return SimpleNamespace(name="m", metadata=lambda: ModelMetadata("m", inputs=inputs))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"instances": [1]}', "/v1/models/m:predict"),
        ('{"inputs": [1]}', "/v1/models/m:predict"),
        ('{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": [1]}]}', "/v2/models/m/infer"),
    ],
)
def test_the_request_beside_the_model_is_sent(tmp_path: Path, text: str, path: str) -> None:
    (tmp_path / "input.json").write_text(text)
    assert (
        command(model(), "http://localhost:1", tmp_path) == f"curl http://localhost:1{path} -d @{tmp_path}/input.json"
    )


def test_else_one_of_the_declared_shape(tmp_path: Path) -> None:
    declared = (TensorMetadata("x", "FP32", (-1, 2)), TensorMetadata("t", "BYTES", (1,)))
    assert command(model(*declared), "http://h", tmp_path) == (
        """curl http://h/v2/models/m/infer -d '{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], """
        """"data": [1, 1]}, {"name": "t", "datatype": "BYTES", "shape": [1], "data": ["text"]}]}'"""
    )


def test_else_what_the_server_says_of_it(tmp_path: Path) -> None:
    assert command(model(), "http://h", tmp_path) == "curl http://h/v2/models/m"
    image = TensorMetadata("x", "UINT8", (224, 224, 3))
    assert command(model(image), "http://h", tmp_path) == "curl http://h/v2/models/m"
