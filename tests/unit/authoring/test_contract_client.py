"""The source of a generated client, whatever a server calls its models and tensors."""

from __future__ import annotations

import ast

import pytest
from modelwright.authoring.contract.client import source
from modelwright.authoring.errors import Mistake
from modelwright.model import ModelMetadata, TensorMetadata


def test_names_that_are_none_of_pythons_become_some() -> None:
    inputs = (TensorMetadata("input-0", "FP32", (-1, 4)), TensorMetadata("input_0", "BYTES", (-1,)),
              TensorMetadata("class", "INT64", ()))  # fmt: skip
    outputs = (TensorMetadata("1st", "BOOL", (-1, -1)),)
    text = source([ModelMetadata("infer", inputs=inputs, outputs=outputs), ModelMetadata("my.model")])
    ast.parse(text)
    assert "def infer_(self, input_0: Sequence[Sequence[float]], input_0_: Sequence[str], class_: int)" in text
    assert '("input-0", "FP32", input_0),' in text
    assert "    _1st: list[list[bool]]  # BOOL [-1, -1]" in text
    assert "def my_model(self, instances: Sequence[Any]) -> Any:" in text


def test_a_servers_words_do_not_become_code() -> None:
    evil = '"""\nimport os\nos.abort()\n"""\\'
    tensor = TensorMetadata(evil, "FP32", (-1,))
    text = source([ModelMetadata(evil, inputs=(tensor,), outputs=(tensor,)), ModelMetadata(evil)])
    tree = ast.parse(text)
    assert "os" not in {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert "abort" not in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    with pytest.raises(Mistake, match="which is none of V2's"):
        source([ModelMetadata("m", inputs=(TensorMetadata("x", "FP32\nimport os", (-1,)),))])
