"""An image's settings are defaults: the environment wins over them, and so do the files of mounted models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from modelwright.styles.mlserver import defaults

from tests.unit.styles.mlserver.authors import found, write

ONE = """
class M(MLModel):
    async def predict(self, payload):
        return InferenceResponse(outputs=[])
"""
OWN = {"name": "own", "implementation": "models.M", "max_batch_size": 4, "max_batch_time": 0.5,
       "parameters": {"uri": "./embedded.bin", "content_type": "np"}}  # fmt: skip


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An image's folder with a runtime of its own, and an empty place to mount models at."""
    folder = write(tmp_path / "workspace", ONE, OWN)
    (folder / "settings.json").write_text(json.dumps({"http_port": 8090, "grpc_port": 8091}))
    monkeypatch.setenv(defaults.VARIABLE, str(folder))
    monkeypatch.setattr(defaults, "MOUNT", tmp_path / "mnt")
    return folder


def mount(image: Path, at: str, **settings: object) -> Path:
    folder = image.parent / "mnt" / at
    folder.mkdir(parents=True)
    (folder / "model-settings.json").write_text(json.dumps(settings))
    return folder


def test_the_image_s_files_are_used_where_nothing_else_says(image: Path) -> None:
    discovered = found(image)

    assert [model.name for model in discovered.models] == ["own"]
    assert (discovered.arguments["http_port"], discovered.arguments["max_batch_size"]) == (8090, 4)


def test_the_environment_wins_over_the_image_s_files(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSERVER_HTTP_PORT", "9000")
    monkeypatch.setenv("MLSERVER_MODEL_NAME", "theirs")
    monkeypatch.setenv("MLSERVER_MODEL_URI", "/mnt/elsewhere")

    discovered = found(image)

    assert [model.name for model in discovered.models] == ["theirs"]
    assert (discovered.arguments["http_port"], discovered.arguments["grpc_port"]) == (9000, 8091)


def test_outside_of_an_image_the_files_win(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(defaults.VARIABLE)
    monkeypatch.setenv("MLSERVER_HTTP_PORT", "9000")
    monkeypatch.setenv("MLSERVER_MODEL_NAME", "theirs")

    discovered = found(image)

    assert [model.name for model in discovered.models] == ["own"]
    assert discovered.arguments["http_port"] == 8090


def test_mounted_models_are_served_by_the_image_s_runtime(image: Path) -> None:
    mount(image, "a", name="first")
    mount(image, "b", parameters={"content_type": "str"})

    discovered = found(image)

    assert [model.name for model in discovered.models] == ["first", "b"]
    assert discovered.arguments["max_batch_size"] == 4


def test_a_mounted_model_has_its_own_files_and_the_image_s_other_parameters(image: Path) -> None:
    document = defaults.under({"parameters": {"version": "v2"}}, OWN)

    assert document["parameters"] == {"content_type": "np", "version": "v2"}
    assert "name" not in document
    assert document["implementation"] == "models.M"


def test_a_mount_without_settings_leaves_the_image_s_model(image: Path) -> None:
    (image.parent / "mnt").mkdir()
    (image.parent / "mnt" / "weights.bin").touch()

    assert [model.name for model in found(image).models] == ["own"]
