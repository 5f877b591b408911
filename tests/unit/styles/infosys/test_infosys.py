"""Loader classes of the Infosys Model Inference Library, found and served."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modelwright.errors import InvalidInput, Unprocessable
from modelwright.model import HttpRequest
from modelwright.styles import substitutes
from modelwright.styles.catalogue import DiscoveryError, Wanted
from modelwright.styles.infosys.adapter import InfosysModel
from modelwright.styles.infosys.discover import discover
from modelwright.styles.infosys.fields import OF_THE_ENDPOINT, REQUEST
from modelwright.styles.infosys.reads import keys_read
from modelwright.tensors import InferenceRequest, Tensor

FILE = """
from modelloader.base_model_loader import BaseModelLoader
from milapi.utils import get_datetime_utc, get_mtp

class CustomDetectoModelLoader(BaseModelLoader):
    def __init__(self, config, model_name):
        super().__init__(config, model_name)
        self.config = config[model_name]
        self.model_obj = self

    def executeModel(self, Base_64, Cs):
        return [{"Cs": Cs, "Lb": Base_64, "Dm": {}}]

class CustomClipModelLoader(BaseModelLoader):
    def __init__(self, config, model_name):
        super().__init__(config, model_name)

    def predict(self, base64_image, prompt, confidence_threshold=0.5):
        return [{"Lb": each} for each in prompt[0]]

    def predict_request(self, req_data):
        begun = get_datetime_utc()
        found = self.predict(req_data["Base_64"], req_data["Prompt"], req_data["C_threshold"])
        mtp = get_mtp(req_data["Mtp"], begun, get_datetime_utc(), req_data["Model"])
        return {"Tid": req_data["Tid"], "Fs": found, "Mtp": mtp, "Rc": "200", "Rm": "Success", "more": 1}

class NotAModel: ...
"""
CONFIG = {
    "ModelExecutor": {"model_name": "CustomDetectoModelLoader", "model_loader_file": "custom_model_loader"},
    "ModelLoader": {"file_location": ".", "class_name": "CustomDetectoModelLoader"},
    "FastAPI": {"host": "0.0.0.0", "port": 8448, "endpoint": "/detect"},
    "CustomDetectoModelLoader": {"model_path": [""]},
    "CustomClipModelLoader": {},
}


def a_request(**changes: object) -> dict[str, Any]:
    """Return the library's sample request."""
    lists = {"Per": [], "Mtp": [{"Src": "Grabber"}], "Msk_img": [""], "Rep_img": [""], "Prompt": [["fire", "smoke"]]}
    return {**dict.fromkeys(REQUEST, "x"), **lists, "C_threshold": 0.5, **changes}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the two loaders."""
    (tmp_path / "custom_model_loader.py").write_text(FILE)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    substitutes.install()
    yield tmp_path
    for name in ("custom_model_loader", "modelloader", "modelloader.base_model_loader", "milapi", "milapi.utils"):
        sys.modules.pop(name, None)


class Inline:
    """An Execution that runs code at once."""

    async def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        return function(*arguments)


async def served(folder: Path, config: dict[str, Any] | None = None, **wanted: str) -> InfosysModel:
    if config is not None:
        (folder / "mil_config.json").write_text(json.dumps(config))
    (model,) = discover(Wanted(folder, **wanted)).models
    assert isinstance(model, InfosysModel)
    await model.load()
    model.bind(Inline())
    return model


async def test_the_base_class_answers_as_the_library_does(folder: Path) -> None:
    model = await served(folder, CONFIG)
    request = a_request(Model="detecto")
    answer = (await model.predict_v1(request, {})).result
    assert answer["Fs"] == [{"Cs": 0.5, "Lb": "x", "Dm": {}}]
    assert (answer["Rc"], answer["Rm"], answer["Obase_64"], answer["Img_url"]) == ("200", "Success", [], [])
    assert [stage["Src"] for stage in request["Mtp"]] == ["Grabber", "detecto"], "Mtp grows in place"
    assert set(request["Mtp"][1]) == {"Etime", "Src", "Stime"}


DETECTO = """
from modelloader.base_model_loader import BaseModelLoader

class Detecto:
    def executeModel(self, Base_64, Cs):
        return [{"Lb": Base_64}]

class CustomDetectoModelLoader(BaseModelLoader):
    def __init__(self, config, model_name):
        model_path = config[model_name]["model_path"][0]
        self.model = Detecto()
"""


async def test_the_documents_second_example_sets_model_and_inherits_all_else(folder: Path) -> None:
    (folder / "custom_model_loader.py").write_text(DETECTO)
    model = await served(folder, CONFIG)
    assert (await model.predict_v1(a_request(), {})).result["Fs"] == [{"Lb": "x"}]


async def test_a_loader_that_sets_neither_is_told_what_to_set(folder: Path) -> None:
    (folder / "custom_model_loader.py").write_text(DETECTO.replace("Detecto()", "dict()"))
    model = await served(folder, CONFIG)
    with pytest.raises(TypeError, match=r"CustomDetectoModelLoader inherits predict.*set self\.model_obj .*it is dict"):
        await model.predict_v1(a_request(), {})


def test_the_class_that_the_documents_text_names_otherwise_than_its_code(folder: Path) -> None:
    config = {**CONFIG, "ModelLoader": {"file_location": ".", "class_name": "CustomModelLoader"}}
    (folder / "mil_config.json").write_text(json.dumps(config))
    said = "no class 'CustomModelLoader' that is a loader; it has CustomClipModelLoader, CustomDetectoModelLoader"
    with pytest.raises(DiscoveryError, match=said):
        discover(Wanted(folder))


async def test_sixteen_keys_are_wanted_and_those_missing_are_listed(folder: Path) -> None:
    model = await served(folder, CONFIG)
    request = {key: value for key, value in a_request().items() if key not in OF_THE_ENDPOINT}
    assert (await model.predict_v1(dict(request), {})).result["Rc"] == "200"
    assert len(request) == 16
    with pytest.raises(Unprocessable, match="fields are missing: " + ", ".join(sorted(request))):
        await model.predict_v1({}, {})
    del request["Tid"], request["Mtp"]
    with pytest.raises(Unprocessable, match=r"fields are missing: Mtp, Tid$"):
        await model.predict_v1(request, {})


async def test_a_loaders_own_driver_needs_what_it_reads(folder: Path) -> None:
    model = await served(folder, {**CONFIG, "ModelExecutor": {}}, class_name="CustomClipModelLoader")
    request = {"Base_64": "", "Prompt": [["fire"]], "C_threshold": "0.25", "Mtp": [], "Model": "m", "Tid": "1"}
    assert (await model.predict_v1(request, {})).result["Fs"] == [{"Lb": "fire"}]
    assert request["C_threshold"] == 0.25, "a number by the time that the driver sees it"
    with pytest.raises(Unprocessable, match="fields are missing: Base_64, C_threshold, Model, Mtp, Prompt, Tid"):
        await model.predict_v1({"Did": "1"}, {})


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("Tid", 3, "Tid must be text"),
        ("Mtp", "x", "Mtp must be a list"),
        ("C_threshold", "much", "C_threshold must be a number"),
        ("C_threshold", True, "C_threshold must be a number or text"),
        ("Per", {}, "Per must be a list or null"),
    ],
)
async def test_a_field_of_another_type_is_named(field: str, value: object, said: str, folder: Path) -> None:
    model = await served(folder, CONFIG)
    with pytest.raises(Unprocessable, match=said):
        await model.predict_v1(a_request(**{field: value}), {})


async def test_several_requests_are_instances_in_v1_and_elements_in_v2(folder: Path) -> None:
    model = await served(folder, CONFIG)
    answer = (await model.predict_v1({"instances": [a_request(Fid="1"), a_request(Fid="2")]}, {})).result
    assert [each["Fid"] for each in answer["predictions"]] == ["1", "2"]
    data = np.array([json.dumps(a_request(Fid=str(number))).encode() for number in range(3)], dtype=object)
    response = await model.infer(InferenceRequest("m", [Tensor("request", "BYTES", (3,), data)], id="i"))
    (tensor,) = response.outputs
    assert (response.id, tensor.name, tensor.datatype, tensor.shape) == ("i", "response", "BYTES", (3,))
    assert [json.loads(text)["Fid"] for text in tensor.data] == ["0", "1", "2"]


async def test_what_is_no_request_is_refused_by_its_place(folder: Path) -> None:
    model = await served(folder, CONFIG)
    data = np.array([b"{}", b"["], dtype=object)
    with pytest.raises(InvalidInput, match="element 1 of input 'request' is no JSON"):
        await model.infer(InferenceRequest("m", [Tensor("request", "BYTES", (2,), data)]))
    with pytest.raises(InvalidInput, match="'instances' must be a list"):
        await model.predict_v1({"instances": [1]}, {})


async def test_the_librarys_endpoint_wants_twenty_fields_and_gives_seventeen(folder: Path) -> None:
    model = await served(folder, {**CONFIG, "ModelExecutor": {}}, class_name="CustomClipModelLoader")
    (route,) = model.own_routes
    assert (route.method, route.path) == ("POST", "/detect")

    async def ask(body: object) -> tuple[int, dict[str, Any]]:
        request = HttpRequest("POST", "/detect", {}, "", {}, json.dumps(body).encode())
        answer = await route.answer(request)
        return answer.status, json.loads(answer.body)

    status, answer = await ask(a_request())
    assert (status, answer["Rc"]) == (200, "200")
    assert "more" not in answer
    status, answer = await ask({key: value for key, value in a_request().items() if key not in OF_THE_ENDPOINT})
    assert status == 422
    assert [each["loc"] for each in answer["detail"]] == [["body", name] for name in sorted(OF_THE_ENDPOINT)]
    assert "I_fn, Msk_img, Prompt, Rep_img" in answer["error"]


def test_without_a_configuration_every_loader_is_served_under_its_own_name(folder: Path) -> None:
    found = discover(Wanted(folder / "custom_model_loader.py"))
    assert [model.name for model in found.models] == ["CustomClipModelLoader", "CustomDetectoModelLoader"]
    assert not found.arguments


async def test_the_name_on_the_path_is_free_of_the_section(folder: Path) -> None:
    model = await served(folder, CONFIG, model_name="detecto")
    assert model.name == "detecto"


def test_the_configurations_port_is_a_default(folder: Path) -> None:
    (folder / "mil_config.json").write_text(json.dumps(CONFIG))
    assert discover(Wanted(folder)).arguments == {"http_port": 8448}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ModelExecutor": {"model_name": "M", "model_loader_file": "absent"}}, "model_loader_file 'absent' is not in"),
        ({"ModelLoader": {"class_name": "Absent"}}, "no class 'Absent' that is a loader; it has CustomClipModelLoader"),
        ({"FastAPI": {"endpoint": "detect"}}, "FastAPI.endpoint 'detect' must begin with '/'"),
        ({"FastAPI": {"port": "many"}}, "FastAPI.port 'many' must be a number"),
        ({"ModelLoader": []}, "ModelLoader must be an object"),
        ({"ModelExecutor": {"model_name": 3}}, "ModelExecutor.model_name must be text"),
    ],
)
def test_a_wrong_configuration_names_file_field_and_remedy(changes: dict[str, Any], said: str, folder: Path) -> None:
    (folder / "mil_config.json").write_text(json.dumps({**CONFIG, **changes}))
    with pytest.raises(DiscoveryError, match=f"mil_config.json.*{said}|{said}"):
        discover(Wanted(folder))


def test_a_folder_without_a_loader_says_what_one_is(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("class M: ...\n")
    with pytest.raises(DiscoveryError, match="a class whose name ends in ModelLoader"):
        discover(Wanted(tmp_path))


def test_keys_are_those_read_without_a_default() -> None:
    def driver(req: dict[str, Any]) -> object:
        req["written"] = 1
        return req["read"], req.get("optional"), {"other": 1}["other"]

    assert keys_read(driver) == {"read"}
