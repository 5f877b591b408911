"""Which classes run in an environment of their own; that they do is tests/conformance's."""

from __future__ import annotations

from pathlib import Path

import pytest
from modelwright import environments
from modelwright.environments.remote import RemoteModel
from modelwright.styles.catalogue import DiscoveryError, Wanted
from modelwright.styles.nemo_curator import environment
from modelwright.styles.nemo_curator.discover import discover

FILE = """
from nemo_curator.video.models.model_utils import ModelInterface
import library_of_the_other_environment

class Own(ModelInterface):
    @property
    def conda_env_name(self):
        return "own"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model's folder with its environment's file; CONDA_DEFAULT_ENV is not set."""
    monkeypatch.setattr(environment, "_served", [])
    monkeypatch.setenv("MODELWRIGHT_WEIGHTS_PYTHON", "")
    for name in ("CONDA_DEFAULT_ENV", "PIXI_ENVIRONMENT_NAME", environments.INSIDE):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "own.py").write_text(FILE)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "own.txt").write_text("numpy\n")
    return tmp_path


def test_a_class_whose_environment_is_described_is_not_imported_here(folder: Path) -> None:
    (model,) = discover(Wanted(folder, model_name="m")).models
    assert isinstance(model, RemoteModel)
    assert model.name == "m"


@pytest.mark.parametrize("variable", ["CONDA_DEFAULT_ENV", environments.INSIDE])
def test_in_the_environment_itself_it_is(folder: Path, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "own")
    with pytest.raises(DiscoveryError, match=r"imports (nemo_curator|library_of_the_other_environment)"):
        discover(Wanted(folder))


def test_an_environment_that_cannot_be_used_names_class_and_file(folder: Path) -> None:
    (folder / "environments" / "own.txt").rename(folder / "environments" / "own.yaml")
    (folder / "environments" / "own.yaml").write_text("[")
    with pytest.raises(DiscoveryError, match=r"own\.py: conda_env_name 'own': .*own\.yaml"):
        discover(Wanted(folder))
