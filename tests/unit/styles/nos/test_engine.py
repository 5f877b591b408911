"""Which engine a handle's replicas get, and in whose interpreter."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from modelwright import environments
from modelwright.environments import replicas as environment
from modelwright.scale.process import Launch
from modelwright.styles.nos import engine
from modelwright.styles.nos.library.common import ModelSpec, RuntimeEnv

MISSING = RuntimeEnv.from_packages(["a-package-that-nobody-has==1", "numpy"])


class Model:
    def run(self) -> int:
        return 1


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What was started, and how; nothing is."""
    started: list[tuple[str, Any]] = []
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False))
    monkeypatch.setattr(engine, "Processes", lambda _, __, launch=None: started.append(("processes", launch)))
    fake = SimpleNamespace(RayReplicas=lambda _, __, options: started.append(("ray", options)))
    monkeypatch.setitem(sys.modules, "modelwright.scale.ray_replicas", fake)
    return started


def spec(runtime_env: RuntimeEnv | None = None) -> ModelSpec:
    return ModelSpec.from_cls(Model, method="run", runtime_env=runtime_env)


def test_processes_are_the_default(made: list[tuple[str, Any]]) -> None:
    engine.replicas(spec(), 2)
    engine.replicas(spec(RuntimeEnv.from_packages(["numpy"])), 2)
    assert made == [("processes", None), ("processes", None)]


def test_an_address_or_a_ray_of_the_author_s_chooses_ray(
    made: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("RAY_ADDRESS", "local")
        engine.replicas(spec(), 2)
        engine.replicas(spec(MISSING), 2)
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: True))
    engine.replicas(spec(), 2)
    packages = {"runtime_env": {"pip": ["a-package-that-nobody-has==1", "numpy"]}}
    assert made == [("ray", None), ("ray", packages), ("ray", None)]


def test_packages_that_are_not_here_make_an_environment(
    made: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[environments.Description] = []
    there = Launch(("python",), (), {})
    monkeypatch.setattr(environment, "launch", lambda description: asked.append(description) or there)
    engine.replicas(spec(MISSING), 1)
    assert made == [("processes", there)]
    (description,) = asked
    assert description.requirements[:2] == ("a-package-that-nobody-has==1", "numpy")
    # The class travels by value, as this Python's own code.
    assert description.requirements[2].startswith("cloudpickle==")
    assert description.python == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_the_folders_that_go_along_are_the_author_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = str(Path(environments.__file__).parents[2])
    monkeypatch.setattr(sys, "path", [str(tmp_path), ours, *sys.path, str(tmp_path / "absent")])
    found = environment._authors()
    assert found[0] == str(tmp_path)
    assert ours not in found
    assert not any("site-packages" in each or each.startswith(sys.base_prefix) for each in found)
