"""What is read of an author's files and objects: guards, hints, needs, resources, answers."""

from __future__ import annotations

import dataclasses
import sys
import types
from collections import namedtuple
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import numpy.typing as npt
import pytest
from modelwright.errors import InferenceError
from modelwright.model import TensorMetadata
from modelwright.styles.catalogue import DiscoveryError
from modelwright.styles.nemo_curator import answers, documents, environment, guards, hints, signature
from modelwright.styles.nemo_curator.fetching import Weights
from modelwright.styles.nemo_curator.hints import Form, Hint
from modelwright.styles.nemo_curator.needs import UnusableNeeds, needs
from modelwright.styles.nemo_curator.pod import resources
from modelwright.styles.nemo_curator.settings import Settings

GUARDED = """
ENV: str = "video_splitting"
if is_running_in_env({guard}):
    import torch

class M:
    @property
    def conda_env_name(self):
        return {env}
"""


@pytest.mark.parametrize(
    ("guard", "env", "held", "mistaken"),
    [
        ('"my_env"', '"video_splitting"', {"my_env", "video_splitting"}, True),
        ("ENV", '"video_splitting"', {"video_splitting"}, False),
        ('"other") or u.is_running_in_env(ENV', "ENV", {"video_splitting"}, False),
        ('"my_env"', "self.env", {"my_env"}, False),
        ("name()", "ENV", {"video_splitting"}, False),
    ],
)
def test_guards_are_held_against_the_class(
    guard: str, env: str, held: set[str], mistaken: bool, tmp_path: Path
) -> None:
    file = tmp_path / "m.py"
    file.write_text(GUARDED.format(guard=guard, env=env))
    found = guards.read(file)
    assert (found.held, found.mistaken) == (held, mistaken)


def test_the_active_environment_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_served", ["mine"])
    monkeypatch.delenv("PIXI_ENVIRONMENT_NAME", raising=False)
    monkeypatch.setenv("CONDA_DEFAULT_ENV", "cosmos-curate:unified")
    assert environment.is_running_in_env("unified")
    assert environment.is_running_in_env("mine")
    assert environment.current() == "unified"
    monkeypatch.delenv("CONDA_DEFAULT_ENV")
    assert environment.current() == "mine"


@pytest.fixture
def tensor(monkeypatch: pytest.MonkeyPatch) -> type[Any]:
    """torch.Tensor's stand-in."""
    kind = type("Tensor", (), {"__module__": "torch"})
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(Tensor=kind))
    return kind


def test_hints_of_arrays_and_values(tensor: type[Any]) -> None:
    images = npt.NDArray[np.uint8]
    assert hints.read(images) == Hint(Form.ARRAY, "UINT8")
    assert hints.read(np.ndarray) == Hint(Form.ARRAY)
    assert hints.read(tensor) == Hint(Form.TORCH)
    assert hints.read(Union[tensor, images]) == Hint(Form.TORCH, "UINT8", strict=False)  # noqa: UP007
    assert hints.read(images | tensor) == Hint(Form.ARRAY, "UINT8", strict=False)
    assert hints.read(Optional[images]) == Hint(Form.ARRAY, "UINT8")  # noqa: UP045
    assert hints.read(list[np.ndarray]) == Hint(Form.ARRAYS)
    assert hints.read(list[str]) == Hint(Form.VALUES, "BYTES", text=True)
    assert hints.read(Sequence[float]) == Hint(Form.VALUES, "FP64")
    assert hints.read(list[dict[str, Any]]) == Hint(Form.OBJECTS, "BYTES")
    assert hints.read(str) == Hint(Form.VALUE, "BYTES", text=True)
    assert hints.read(object) == hints.read("what") == hints.ANYTHING


def test_a_hint_that_cannot_be_evaluated_is_none() -> None:
    def entry(images: absent.Tensor, names: list[str]) -> int: ...  # noqa: F821

    assert hints.evaluated(entry).keys() == {"names", "return"}


def test_the_entry_point_is_call_then_generate_then_the_only_method() -> None:
    class Base:
        def setup(self) -> None: ...
        def only(self, names: list[str]) -> list[str]: ...

    class Generates(Base):
        def generate(self, prompt: str, n: int = 1) -> str: ...

    class Calls(Generates):
        def __call__(self, images: np.ndarray, *more: Any, mask: np.ndarray | None = None) -> None: ...

    assert [signature.of(kind, Settings()).method for kind in (Base, Generates, Calls)] == [
        "only", "generate", "__call__",
    ]  # fmt: skip
    assert signature.of(Base, Settings()).inputs == (TensorMetadata("names", "BYTES", (-1,)),)
    generates = signature.of(Generates, Settings())
    assert generates.inputs == (TensorMetadata("prompt", "BYTES", (1,)),)
    assert generates.outputs == (TensorMetadata("output-0", "BYTES", (1,)),)
    calls = signature.of(Calls, Settings())
    assert ([each.name for each in calls.parameters], calls.inputs) == (["images", "mask"], ())
    assert not calls.parameters[1].positional
    with pytest.raises(DiscoveryError, match="no __call__ and no generate, and it has no public method"):
        signature.of(object, Settings())


class Needy:
    """An author's object of any generation."""

    def __init__(self, **properties: Any) -> None:
        self.__dict__.update(properties)


def test_needs_of_all_generations() -> None:
    first = needs(Needy(weights_names=["a/b"], id_file_mapping={"a/b": None, "c/d": ["x"]}, num_gpus=0.25), {})
    assert first.weights == (Weights("a/b"), Weights("c/d", ("x",)))
    assert (first.num_gpus, first.environment) == (0.25, None)
    known = {"a/b": Weights("a/b", ("y",), "v1")}
    second = needs(Needy(model_id_names=lambda: ["a/b"], conda_env_name="unified"), known)
    assert (second.weights, second.environment) == ((Weights("a/b", ("y",), "v1"),), "unified")


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"weights_names": "a/b"}, "Needy.weights_names is 'a/b'; it must be a list of text"),
        ({"model_id_names": [1]}, "model_id_names"),
        ({"id_file_mapping": ["a"]}, "id_file_mapping is .*a dictionary"),
        ({"id_file_mapping": {"a": "b"}}, "id_file_mapping is 'b'; it must be a list of text"),
        ({"num_gpus": -1}, "num_gpus is -1; it must be a number of GPUs"),
        ({"num_gpus": True}, "num_gpus"),
        ({"conda_env_name": 3}, "conda_env_name"),
    ],
)
def test_a_property_of_another_type_is_named(properties: dict[str, Any], said: str) -> None:
    with pytest.raises(UnusableNeeds, match=said):
        needs(Needy(**properties), {})


@pytest.mark.parametrize(
    ("num_gpus", "limit", "ray", "note"),
    [
        (0, None, 0.0, None),
        (1.0, "1", 1.0, None),
        (0.25, "1", 0.25, "--workers=4"),
        (0.75, "1", 0.75, "the rest is idle"),
        (1.5, "2", 2.0, "the rest is idle"),
        (8, "8", 8.0, None),
    ],
)
def test_gpus_of_a_pod_are_whole(num_gpus: float, limit: str | None, ray: float, note: str | None) -> None:
    found = resources(num_gpus)
    assert (found.limits.get("nvidia.com/gpu"), found.ray["num_gpus"]) == (limit, ray)
    assert (found.note is None) == (note is None)
    assert note is None or note in str(found.note)


def test_all_models_json_has_files_and_revisions(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    file = tmp_path / "configs" / "all_models.json"
    file.write_text('{"t": {"model_id": "a/b", "version": "db6", "filelist": ["x"]}, "u": {"model_id": "c/d"}}')
    assert documents.known_weights(tmp_path) == {"a/b": Weights("a/b", ("x",), "db6"), "c/d": Weights("c/d")}
    file.write_text('{"t": {}}')
    with pytest.raises(DiscoveryError, match=r"all_models\.json must be a JSON object of entries with model_id"):
        documents.known_weights(tmp_path)


class Torch:
    """A torch tensor's way to numpy."""

    def __init__(self, dtype: str = "torch.float32") -> None:
        self.dtype = dtype

    def detach(self) -> Torch:
        return self

    cpu = detach

    def float(self) -> Torch:
        return Torch()

    def numpy(self) -> Any:
        assert self.dtype != "torch.bfloat16", "numpy has none"
        return np.float32([[1, 2]])


Pair = namedtuple("Pair", "left right")


@dataclasses.dataclass
class Record:
    score: float
    names: list[str]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (np.int64(3), {"output-0": [3]}),
        (2.5, {"output-0": [2.5]}),
        ("text", {"output-0": [b"text"]}),
        (["a", b"b"], {"output-0": [b"a", b"b"]}),
        (np.array(["a"]), {"output-0": [b"a"]}),
        (Torch(), {"output-0": [[1, 2]]}),
        (Torch("torch.bfloat16"), {"output-0": [[1, 2]]}),
        ([Torch(), Torch()], {"output-0": [[[1, 2]], [[1, 2]]]}),
        ((Torch(), None), {"output-0": [[1, 2]]}),
        ((1, 2), {"output-0": [1], "output-1": [2]}),
        (Pair(1, [2, 3]), {"left": [1], "right": [2, 3]}),
        (Record(0.5, ["x"]), {"score": [0.5], "names": [b"x"]}),
        ({"a": [1]}, {"a": [1]}),
        ([{"b": np.float32(1)}], {"output-0": [b'{"b":1.0}']}),
    ],
)
def test_answers_become_arrays(result: object, expected: dict[str, Any]) -> None:
    found = answers.arrays(result, ())
    assert {name: array.tolist() for name, array in found.items()} == expected
    assert [tensor.name for tensor in answers.tensors(found)] == list(expected)


def test_several_outputs_are_rows_in_v1() -> None:
    found = answers.arrays(([1, 2], ["a", "b"]), ())
    assert answers.predictions(found) == [{"output-0": 1, "output-1": "a"}, {"output-0": 2, "output-1": "b"}]
    uneven = answers.predictions(answers.arrays({"x": [1, 2], "y": [1]}, ()))
    assert {name: values.tolist() for name, values in uneven.items()} == {"x": [1, 2], "y": [1]}
    assert answers.predictions(answers.arrays([{"b": 1}], ())) == [{"b": 1}]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "returned None"),
        ([[1], [1, 2]], "'y' of the model is ragged"),
        (object(), "'y' of the model is object"),
        (np.array([None]), "'y' of the model holds what no V2 datatype can"),
        (np.complex64([1]), "'y' of the model: a numpy array of complex64"),
        ((1, 2), "returned 2 outputs; declared are 1"),
        ({"x": 1}, "returned x; declared is also y"),
        ("text", "'y' of the model is BYTES; declared is FP32"),
        ([{"x": 1}], "declared is FP32"),
    ],
)
def test_an_answer_that_is_none_names_the_output(result: object, said: str) -> None:
    with pytest.raises(InferenceError, match=said):
        answers.arrays(result, (TensorMetadata("y", "FP32", (-1,)),))


def test_an_answer_comes_in_the_datatype_that_was_declared() -> None:
    found = answers.arrays(np.float64([1]), (TensorMetadata("y", "FP32", (-1,)),))
    assert found["y"].dtype == np.float32
    with pytest.raises(InferenceError, match="is FP64; declared is INT64"):
        answers.arrays(np.float64([1]), (TensorMetadata("y", "INT64", (-1,)),))
