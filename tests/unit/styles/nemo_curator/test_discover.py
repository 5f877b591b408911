"""Curator models of the three generations, found and served."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modelwright.errors import InvalidInput
from modelwright.styles import substitutes
from modelwright.styles.catalogue import DiscoveryError, Wanted
from modelwright.styles.detect import detect
from modelwright.styles.nemo_curator import environment
from modelwright.styles.nemo_curator.adapter import CuratorModel
from modelwright.styles.nemo_curator.discover import discover
from modelwright.tensors import InferenceRequest, Tensor

FIRST = """
import numpy as np
import numpy.typing as npt
from nemo_curator.video.models import model_utils
from nemo_curator.video.utils import conda_utils

if conda_utils.is_running_in_env("my_env"):
    import json as guarded

class Scale(model_utils.ModelInterface):
    def __init__(self, by: int = 2) -> None:
        self.by = by
    def setup(self) -> None:
        folder = model_utils.get_local_dir_for_weights_name("acme/scale")
        self.weights = np.load(folder / "w.npy")
        guarded.dumps({})
    @property
    def weights_names(self): return ["acme/scale"]
    @property
    def id_file_mapping(self): return {"acme/scale": ["w.npy"]}
    @property
    def conda_env_name(self): return "video_splitting"
    def __call__(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        images *= self.by
        return images + self.weights
"""
SECOND = """
from pathlib import Path
from typing import Any
from nemo_curator.models.base import ModelInterface

class Captions(ModelInterface):
    def __init__(self, model_dir: str) -> None:
        self.model_dir = model_dir
    def model_id_names(self) -> list[str]:
        return ["acme/captions"]
    def setup(self) -> None:
        self.word = (Path(self.model_dir) / "acme/captions" / "word.txt").read_text()
    def generate(self, inputs: list[dict[str, Any]], times: int = 1) -> list[str]:
        return [f"{self.word * times} {each['role']}" for each in inputs]
    @classmethod
    def download_weights_on_node(cls, model_dir: str) -> None:
        folder = Path(model_dir) / "acme/captions"
        folder.mkdir(parents=True)
        (folder / "word.txt").write_text("own")
"""
THIRD = """
import numpy as np
from {package}.core.interfaces.model_interface import ModelInterface
from {package}.core.utils.model import {guard}, model_utils

if {guard}.is_running_in_env("default"):
    import json as here
if {guard}.is_running_in_env("unified"):
    import absent_library_of_another_environment

class Mean(ModelInterface):
    @property
    def conda_env_name(self): return "default"
    @property
    def model_id_names(self): return []
    def setup(self): here.dumps(model_utils.CUDA_DEVICE)
    def predict(self, frames: np.ndarray, scale: float = 1.0):
        return {{"mean": frames.mean(axis=1) * scale, "rows": len(frames)}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An author's folder; weights are below `weights` beside it."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(environment, "_served", [])
    monkeypatch.setenv("MODELWRIGHT_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.delenv("MODELWRIGHT_WEIGHTS_URI", raising=False)
    substitutes.install()
    before = set(sys.modules)
    author = tmp_path / "author"
    author.mkdir()
    yield author
    ours = ("nemo_curator", "cosmos_curate", "cosmos_curator")
    for name in set(sys.modules) - before:
        module = sys.modules[name]
        if name.startswith(ours) or str(tmp_path) in str(getattr(module, "__file__", "")):
            del sys.modules[name]


class Inline:
    """An Execution that runs code at once."""

    async def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        return function(*arguments)


async def served(target: Path, **wanted: str) -> CuratorModel:
    (model,) = discover(Wanted(target, **wanted)).models
    assert isinstance(model, CuratorModel)
    await model.load()
    model.bind(Inline())
    return model


def put(folder: Path, name: str, file: str, content: bytes | np.ndarray) -> None:
    path = folder.parent / "weights" / name / file
    path.parent.mkdir(parents=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)


async def infer(model: CuratorModel, **inputs: np.ndarray) -> dict[str, Any]:
    datatypes = {"f": "FP32", "O": "BYTES", "u": "UINT8", "i": "INT64"}
    tensors = [Tensor(name, datatypes[each.dtype.kind], each.shape, each) for name, each in inputs.items()]
    response = await model.infer(InferenceRequest("m", tensors, id="7"))
    assert response.id == "7"
    return {tensor.name: tensor.data for tensor in response.outputs}


async def test_the_first_generation_finds_its_weights_before_setup(folder: Path) -> None:
    (folder / "scale.py").write_text(FIRST)
    put(folder, "acme/scale", "w.npy", np.float32([10, 20]))
    model = await served(folder / "scale.py")
    given = np.float32([[1, 2]])
    given.flags.writeable = False
    answer = await infer(model, images=given)
    assert answer["output-0"].tolist() == [[12, 24]], "and may write into what it is given"
    assert model.needs is not None
    assert (model.needs.num_gpus, model.needs.environment) == (1.0, "video_splitting")
    assert (await model.predict_v1({"instances": [[1, 2], [0, 0]]}, {})).result["predictions"].tolist() == [
        [12, 24],
        [10, 20],
    ]


async def test_a_guard_of_another_name_than_the_class_has_holds(folder: Path) -> None:
    (folder / "scale.py").write_text(FIRST)
    (model,) = discover(Wanted(folder)).models
    assert isinstance(model, CuratorModel)
    assert "'my_env' were made, though the class names the environment 'video_splitting'" in model.notes[0]
    assert environment.is_running_in_env("my_env")
    assert environment.is_running_in_env("video_splitting")
    assert not environment.is_running_in_env("unified")


async def test_the_second_generation_with_a_plain_method_and_its_own_download(folder: Path) -> None:
    (folder / "captions.py").write_text(SECOND)
    model = await served(folder)
    assert (await model.predict_v1({"instances": [{"role": "a"}, {"role": "b"}]}, {})).result == {
        "predictions": ["own a", "own b"]
    }
    options = {"instances": [{"role": "a"}], "parameters": {"times": 2}}
    assert (await model.predict_v1(options, {})).result == {"predictions": ["ownown a"]}
    rows = np.array([b'{"role": "c"}'], dtype=object)
    assert (await infer(model, inputs=rows))["output-0"].tolist() == [b"own c"]


async def test_weights_that_are_there_win_over_the_class_s_own_download(folder: Path) -> None:
    (folder / "captions.py").write_text(SECOND)
    put(folder, "acme/captions", "word.txt", b"mine")
    model = await served(folder)
    assert (await model.predict_v1({"inputs": [{"role": "x"}]}, {})).result == {"predictions": ["mine x"]}


@pytest.mark.parametrize(("package", "guard"), [("cosmos_curate", "conda_utils"), ("cosmos_curator", "pixi_utils")])
async def test_the_third_generation_and_the_guard_that_names_its_own_environment(
    package: str, guard: str, folder: Path
) -> None:
    (folder / "mean.py").write_text(THIRD.format(package=package, guard=guard))
    model = await served(folder)
    answer = await infer(model, frames=np.float32([[1, 3], [5, 7]]))
    assert {name: values.tolist() for name, values in answer.items()} == {"mean": [2, 6], "rows": [2]}
    answer = (await model.predict_v1({"instances": [[1, 3]], "parameters": {"scale": 2.0}}, {})).result
    assert answer == {"predictions": [{"mean": 4.0, "rows": 1}]}


async def test_model_download_yaml_chooses_classes_and_their_arguments(folder: Path) -> None:
    (folder / "scale.py").write_text(FIRST)
    (folder / "captions.py").write_text(SECOND)
    (folder / "model_download.yaml").write_text(
        "models:\n"
        "  - class: nemo_curator.video.models.t5_encoder.T5Encoder\n"
        "  - class: nemo_curator.video.models.scale.Scale\n"
        "    params: {by: 10}\n"
    )
    put(folder, "acme/scale", "w.npy", np.float32([0]))
    model = await served(folder, model_name="ten")
    assert model.name == "ten"
    assert (await infer(model, anything=np.float32([[1]])))["output-0"].tolist() == [[10]]


# Of Curator's tutorial on custom models, as it stands there.
TUTORIAL = """
models:
  - class: nemo_curator.video.models.cradio.CRadio
  - class: nemo_curator.video.models.internvideo2_mm.InternVideo2MultiModality
  - class: nemo_curator.video.models.qwen_vl.QwenVL
  - class: nemo_curator.video.models.t5_encoder.T5Encoder
    params:
      variant: 1
  - class: nemo_curator.video.models.transnetv2.TransNetV2
  - class: nemo_curator.video.models.my_model.MyModelClass
"""


async def test_the_tutorials_config_serves_the_one_model_that_is_here(folder: Path) -> None:
    (folder / "config").mkdir()
    (folder / "config" / "model_download.yaml").write_text(TUTORIAL)
    (folder / "my_model.py").write_text(FIRST.replace("class Scale", "class MyModelClass"))
    put(folder, "acme/scale", "w.npy", np.float32([0]))
    model = await served(folder)
    assert model.name == "MyModelClass"


def test_the_interface_is_the_tutorials() -> None:
    from modelwright.styles.nemo_curator.library.video.models.model_utils import ModelInterface

    assert ModelInterface.__abstractmethods__ == {"weights_names", "id_file_mapping", "conda_env_name", "setup"}

    class Least(ModelInterface):
        weights_names: Any = ("a/b",)
        id_file_mapping: Any = {"a/b": None}  # noqa: RUF012 - as authors write it
        conda_env_name: Any = "env"

        def setup(self) -> None:
            """Do nothing."""

    assert Least().num_gpus == 1.0
    with pytest.raises(TypeError, match="abstract"):
        ModelInterface()  # type: ignore[abstract]


async def test_settings_name_the_tensors_and_the_entry_point(folder: Path) -> None:
    (folder / "mean.py").write_text(THIRD.format(package="cosmos_curate", guard="conda_utils"))
    (folder / "modelwright.yaml").write_text(
        "signatures:\n  Mean:\n    entrypoint: predict\n"
        "    inputs: [{name: frames, datatype: FP32, shape: [-1, 2]}]\n"
        "    outputs: [{name: mean, datatype: FP64, shape: [-1]}]\n"
    )
    model = await served(folder)
    assert [(each.name, each.datatype, each.shape) for each in model.metadata().inputs] == [("frames", "FP32", (-1, 2))]
    answer = await infer(model, frames=np.float32([[1, 3]]))
    assert (list(answer), answer["mean"].dtype) == (["mean"], np.float64)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("signatures: [1]", "signatures must be a mapping"),
        ("signatures: {Mean: {entry: x}}", "signatures.Mean.entry is unknown"),
        ("signatures: {Mean: {entrypoint: nothing}}", "entrypoint 'nothing' is no method"),
        (
            "signatures: {Mean: {inputs: [{name: x, datatype: FP32, shape: [1]}]}}",
            "has 'x'; predict takes frames, scale",
        ),
        ("signatures: {Mean: {inputs: [{name: frames, datatype: F32, shape: [1]}]}}", "'F32'; it must be one of BOOL"),
        ("signatures: {Mean: {inputs: [{name: frames, datatype: FP32, shape: [-2]}]}}", "shape must be a list"),
        ("signatures: {Mean: [", "is no YAML"),
    ],
)
def test_wrong_settings_name_the_field(settings: str, said: str, folder: Path) -> None:
    (folder / "mean.py").write_text(THIRD.format(package="cosmos_curate", guard="conda_utils"))
    (folder / "modelwright.yaml").write_text(settings)
    with pytest.raises(DiscoveryError, match=said):
        discover(Wanted(folder))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (
            FIRST.replace("import json as guarded", "import not_installed_here"),
            "imports not_installed_here, which is not",
        ),
        (FIRST + "import nemo_curator.pipeline\n", "nemo_curator.pipeline, which is not among what Modelwright"),
        (FIRST.replace("def conda_env_name", "def other"), "class Scale lacks conda_env_name"),
        (FIRST.replace("by: int = 2", "by: int"), r"missing a required argument: 'by'; give it under params"),
        (
            FIRST.replace("def __call__", "def forward") + "    def back(self): ...\n",
            "it has back, forward: name the one",
        ),
        ("class Alone: ...\n", "has no class that inherits ModelInterface"),
    ],
)
def test_what_cannot_be_served_is_told_with_the_remedy(file: str, said: str, folder: Path) -> None:
    (folder / "m.py").write_text(file)
    with pytest.raises(DiscoveryError, match=said):
        discover(Wanted(folder))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("models: {}", "must have a list 'models'"),
        ("models: [{params: {}}]", r"models\[0\] must have 'class'"),
        ("models: [{class: m.Scale, params: 3}]", r"models\[0\]\.params must be a mapping"),
        ("models: [{class: m.Other}]", "has no class Other that inherits"),
        ("models: [{class: m.Scale, params: {size: 3}}]", "unexpected keyword argument 'size'"),
    ],
)
def test_a_wrong_model_download_yaml_names_the_entry(document: str, said: str, folder: Path) -> None:
    (folder / "m.py").write_text(FIRST)
    (folder / "model_download.yaml").write_text(document)
    with pytest.raises(DiscoveryError, match=said):
        discover(Wanted(folder))


def test_one_name_is_not_for_two_models(folder: Path) -> None:
    (folder / "a.py").write_text(FIRST)
    (folder / "b.py").write_text(SECOND)
    assert [model.name for model in discover(Wanted(folder)).models] == ["Scale", "Captions"]
    with pytest.raises(DiscoveryError, match="Scale, Captions: name one as PATH:CLASS"):
        discover(Wanted(folder, model_name="m"))
    assert [model.name for model in discover(Wanted(folder, "Captions", "m")).models] == ["m"]


def test_relative_imports_of_a_package_work(folder: Path) -> None:
    package = folder / "mine"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "base.py").write_text("NUMBER = 3\n")
    (package / "m.py").write_text("from .base import NUMBER\n" + FIRST)
    assert [model.name for model in discover(Wanted(folder)).models] == ["Scale"]


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({}, "'instances' or 'inputs'"),
        (b"x", "'instances' or 'inputs'"),
        ({"instances": [[1, 2], [3]]}, "images"),
        ({"instances": [["a"]]}, "images.*FP32"),
        (
            {"inputs": {"images": [[1]], "other": 1}},
            "'inputs' has 'other', which is none of the model's inputs: images",
        ),
        ({"instances": [[1]], "parameters": 3}, "'parameters' must be an object"),
    ],
)
async def test_a_wrong_v1_body_is_told_what_is_expected(payload: Any, said: str, folder: Path) -> None:
    (folder / "scale.py").write_text(FIRST)
    put(folder, "acme/scale", "w.npy", np.float32([0]))
    model = await served(folder)
    with pytest.raises(InvalidInput, match=said):
        await model.predict_v1(payload, {})


async def test_a_wrong_v2_input_is_named(folder: Path) -> None:
    (folder / "scale.py").write_text(FIRST)
    put(folder, "acme/scale", "w.npy", np.float32([0]))
    model = await served(folder)
    with pytest.raises(InvalidInput, match="input 'images' has datatype UINT8; expected FP32"):
        await infer(model, images=np.uint8([1]))
    with pytest.raises(InvalidInput, match="input 'other' is none of the model's; its inputs: images"):
        await infer(model, images=np.float32([1]), other=np.float32([1]))
    with pytest.raises(InvalidInput, match="input 'images' is missing"):
        await infer(model)


async def test_an_asynchronous_entry_point_and_an_output_without_dimensions(folder: Path) -> None:
    (folder / "m.py").write_text(
        "import numpy as np\nfrom nemo_curator.models.base import ModelInterface\n"
        "class Counts(ModelInterface):\n"
        "    model_id_names = []\n"
        "    def setup(self): ...\n"
        "    async def __call__(self, x: np.ndarray, y: np.ndarray, *, power: int = 1):\n"
        "        return (x + y).sum() ** power\n"
    )
    model = await served(folder)
    assert (await infer(model, x=np.float32([1]), y=np.float32([2])))["output-0"].tolist() == [3]
    instances = [{"x": 1, "y": 2}, {"x": 3, "y": 4}]
    answer = await model.predict_v1({"instances": instances, "parameters": {"power": 2}}, {})
    assert answer.result["predictions"].tolist() == [100]
    for wrong, said in [
        ([{"x": 1, "y": 2}, {"x": 3}], r"instances\[1\]' has other inputs than the first one: x, y"),
        ([{"x": 1, "z": 2}], "'z', which is none of the model's inputs: x, y, power"),
        ([1], "must be an object with the model's inputs: x, y, power"),
        ([{"x": 1}], "input 'y' is missing"),
    ]:
        with pytest.raises(InvalidInput, match=said):
            await model.predict_v1({"instances": wrong}, {})
    with pytest.raises(InvalidInput, match="'inputs' must be an object"):
        await model.predict_v1({"inputs": [1]}, {})


@pytest.mark.parametrize("library", ["nemo_curator", "cosmos_curate", "cosmos_curator"])
def test_each_generations_library_tells_the_style(library: str, folder: Path) -> None:
    (folder / "m.py").write_text(f"from {library}.models import base\nclass M(base.ModelInterface): ...\n")
    assert detect(folder).style == "nemo_curator"
