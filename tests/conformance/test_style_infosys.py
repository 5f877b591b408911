"""Loaders of the Infosys Model Inference Library behind the real server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conformance.server_process import ROOT
from tests.conformance.style_process import Styled

EXAMPLE = ROOT / "runtimes" / "examples" / "09-imil"
REQUEST: dict[str, Any] = json.loads((EXAMPLE / "input.json").read_text())


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Styled]:
    """What the example's mil_config.json selects."""
    running = Styled(tmp_path_factory.mktemp("imil"), "infosys", str(EXAMPLE))
    try:
        yield running.wait_until_serving()
    finally:
        running.stop()
        running.kill()


def test_the_librarys_endpoint_answers(clip: Styled) -> None:
    reply = clip.ask("POST", "/CustomClipModelLoader", REQUEST)
    assert (reply.status, reply.json["Rc"]) == (200, "200")
    assert {found["Lb"] for found in reply.json["Fs"]} <= {"fire", "smoke", "neutral"}
    assert reply.json["Mtp"][0]["Src"] == "CustomClipModelLoader"


def test_missing_fields_are_a_422_that_lists_them(clip: Styled) -> None:
    reply = clip.ask("POST", "/CustomClipModelLoader", {"Tid": "1"})
    assert reply.status == 422
    assert {each["loc"][1] for each in reply.json["detail"]} == REQUEST.keys() - {"Tid"}
    reply = clip.ask("POST", "/v1/models/CustomClipModelLoader:predict", {"Tid": "1"})
    assert (reply.status, "Base_64" in reply.json["error"]) == (422, True)


def test_the_endpoint_answers_its_method_only(clip: Styled) -> None:
    reply = clip.ask("GET", "/CustomClipModelLoader")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


def test_v1_v2_and_grpc_answer_alike(clip: Styled) -> None:
    def labels(answer: dict[str, Any]) -> list[tuple[str, float]]:
        return [(found["Lb"], found["Cs"]) for found in answer["Fs"]]

    expected = labels(clip.ask("POST", "/CustomClipModelLoader", REQUEST).json)
    assert expected
    model = "/v1/models/CustomClipModelLoader:predict"
    assert labels(clip.ask("POST", model, REQUEST).json) == expected
    assert labels(clip.ask("POST", model, {"instances": [REQUEST]}).json["predictions"][0]) == expected
    text = json.dumps(REQUEST)
    inputs = [{"name": "request", "datatype": "BYTES", "shape": [1], "data": [text]}]
    reply = clip.ask("POST", "/v2/models/CustomClipModelLoader/infer", {"inputs": inputs})
    assert labels(json.loads(reply.json["outputs"][0]["data"][0])) == expected
    answer = clip.infer("CustomClipModelLoader", request=np.array([text.encode()], dtype=object))
    assert labels(json.loads(answer["response"][0])) == expected


def test_own_routes_are_counted_and_described(clip: Styled) -> None:
    clip.ask("POST", "/CustomClipModelLoader", REQUEST)
    metrics = clip.ask("GET", "/metrics").body.decode()
    assert re.search(r'modelwright_requests_total\{[^}]*protocol="own"[^}]*\} [1-9]', metrics), metrics
    assert "/CustomClipModelLoader" in clip.ask("GET", "/openapi.json").json["paths"]


def test_another_loader_is_served_by_name(tmp_path: Path) -> None:
    running = Styled(tmp_path, "infosys", f"{EXAMPLE / 'custom_model_loader.py'}:CustomDetectoModelLoader")
    try:
        running.wait_until_serving()
        reply = running.ask("POST", "/v1/models/CustomDetectoModelLoader:predict", {**REQUEST, "C_threshold": 0.9})
        (box,) = reply.json["Fs"]
        assert box["Dm"] == {"X": 0.5, "Y": 0.25, "H": 0.25, "W": 0.25}
    finally:
        running.kill()
