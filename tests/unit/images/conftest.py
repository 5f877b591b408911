from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.images.stub_registry import Stub, stub_registry


@pytest.fixture
def registry() -> Iterator[Stub]:
    with stub_registry() as stub:
        yield stub


@pytest.fixture(autouse=True)
def no_logins(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No login and no cache of this machine's; the folder where `docker login` would keep one."""
    folder = tmp_path_factory.mktemp("docker")
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return folder


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing in it but what a test writes there."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with a model of kserve's."""
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "model.py").write_text("from kserve import Model\n\n\nclass Iris(Model):\n    pass\n")
    (folder / "requirements.txt").write_text("numpy==2.4.6\n")
    return folder
