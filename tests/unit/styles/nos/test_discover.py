"""Specs found in files, in serve.yaml, and made of a class by its name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from modelwright.styles import substitutes
from modelwright.styles.catalogue import DiscoveryError, Wanted
from modelwright.styles.nos.discover import discover

FILE = """
from nos.common import ModelSpec

class Sum:
    def __init__(self, bias=0): self.bias = bias
    def __call__(self, a: int, b: int = 0): return a + b + self.bias
    def twice(self, a: int): return 2 * a

class Other:
    def run(self): return 1

spec = ModelSpec.from_cls(Sum, init_args=(1,), model_id="custom/sum")
again = spec
"""
ENTRY = {"model_cls": "Sum", "model_path": "models/own.py", "init_args": [5], "default_method": "twice"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "nos_model_under_test.py").write_text(FILE)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    substitutes.install()
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name in ("nos_model_under_test", "own", "manages", "other_own") or name.partition(".")[0] == "nos":
            del sys.modules[name]


def with_yaml(folder: Path, **models: dict[str, Any]) -> Path:
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "own.py").write_text(FILE)
    images = {"cpu": {"base": "x", "env": {"NOS_UNDER_TEST": "1"}, "pip": ["numpy"]}, "gpu": {"pip": ["no-such-one"]}}
    (folder / "serve.yaml").write_text(yaml.safe_dump({"images": images, "models": models}))
    return folder


def names(folder: Path, **wanted: str) -> list[str]:
    return [model.name for model in discover(Wanted(folder, **wanted)).models]


def test_each_spec_is_a_model_and_so_is_each_public_method(folder: Path) -> None:
    found = discover(Wanted(folder)).models
    assert [model.name for model in found] == ["custom--sum", "custom--sum.twice"]
    assert [len(model.own_routes) for model in found] == [2, 0], "one brings NOS's endpoint for all"
    assert names(folder / "nos_model_under_test.py", model_name="total") == ["total", "total.twice"]


async def test_a_class_or_a_spec_is_served_by_name(folder: Path) -> None:
    file = folder / "nos_model_under_test.py"
    assert names(file, class_name="Other") == ["Other", "Other.run"]
    assert names(file, class_name="spec")[0] == "custom--sum"
    with pytest.raises(DiscoveryError, match="has no 'Absent'"):
        discover(Wanted(file, "Absent"))


async def test_serve_yaml_says_how_models_are_made_and_how_many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOS_UNDER_TEST", raising=False)
    deployed = {**ENTRY, "runtime_env": "cpu", "deployment": {"num_replicas": 2, "resources": {"cpu": 1}}}
    found = discover(Wanted(with_yaml(folder, **{"a/one": ENTRY, "two": deployed})))
    assert [model.name for model in found.models] == [
        "a--one",
        "a--one.twice",
        "two",
        "two.twice",
    ]
    assert found.arguments == {"workers": 2}
    await found.models[0].load()
    assert found.models[0].instance.default == "twice"
    assert found.models[0].instance.methods["twice"].bound.__self__.bias == 5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_cls": "Absent"}, "has no class 'Absent', which serve.yaml names; it has Other, Sum"),
        ({"model_path": "absent.py"}, "models.m.model_path 'absent.py' is not beside it"),
        ({"default_method": "absent"}, "Sum: Sum has no method 'absent'"),
        ({"init_args": 3}, "models.m.init_args must be a list"),
        ({"init_kwargs": []}, None),
        ({"init_kwargs": [1]}, "models.m.init_kwargs must be an object"),
        ({"runtime_env": "none"}, "runtime_env 'none' is none of images: cpu, gpu"),
        ({"deployment": {"num_replicas": 0}}, "num_replicas 0 must be a whole number from 1"),
        ({"models": 1}, "models.m has unknown fields models"),
    ],
)
def test_a_wrong_entry_names_field_and_remedy(changes: dict[str, Any], said: str | None, folder: Path) -> None:
    with_yaml(folder, m={**ENTRY, **changes})
    if said is None:
        assert names(folder)
        return
    with pytest.raises(DiscoveryError, match=said):
        discover(Wanted(folder))


def test_a_model_of_nos_own_is_not_here(folder: Path) -> None:
    with_yaml(folder, **{"openai/clip": {"deployment": {}}})
    with pytest.raises(DiscoveryError, match="is one of NOS's own models"):
        discover(Wanted(folder))


def test_what_cannot_be_served_is_told_with_the_remedy(folder: Path) -> None:
    plain = folder / "own.py"
    plain.write_text("class Plain:\n    def run(self): ...\n")
    with pytest.raises(DiscoveryError, match=r"has no ModelSpec at the top of a file: .*classes here: Plain"):
        discover(Wanted(plain))
    (folder / "manages.py").write_text("from nos.manager import ModelManager\nhandle = manager.load(None)\n")
    with pytest.raises(DiscoveryError, match=r"uses `manager` and makes none: write `from nos.manager import manager`"):
        discover(Wanted(folder / "manages.py"))
    (folder / "other_own.py").write_text(FILE + "more = ModelSpec.from_cls(Sum, model_id='x', pip=['no-such-one'])\n")
    (folder / "own.py").write_text("class Hidden:\n    def _run(self): ...\n")
    sys.modules.pop("own", None)
    with pytest.raises(DiscoveryError, match="class Hidden has no public method: a method whose name"):
        discover(Wanted(folder / "own.py", "Hidden"))
    with pytest.raises(DiscoveryError, match="--model_name is for one model"):
        discover(Wanted(folder / "other_own.py", model_name="x"))


def test_packages_that_are_not_here_make_an_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made at discovery, and the class of a serve.yaml's entry is not even imported here."""
    file = folder / "other_own.py"
    file.write_text(FILE + "more = ModelSpec.from_cls(Sum, model_id='a/x', pip=['no-such-one'])\n")
    found = {model.name: model for model in discover(Wanted(file)).models}
    assert list(found) == ["custom--sum", "custom--sum.twice", "a--x"]
    assert type(found["a--x"]).__name__ == "RemoteModel"
    with_yaml(folder, m={**ENTRY, "runtime_env": "gpu"}, n=ENTRY)
    assert names(folder) == ["n", "n.twice", "m"]
    monkeypatch.setenv("MODELWRIGHT_IN_ENVIRONMENT", "there")
    assert names(folder, model_name="m") == ["m", "m.twice"]
    assert names(file, model_name="a--x") == ["a--x", "a--x.twice"]


def test_the_librarys_modules_have_its_names(folder: Path) -> None:
    library = "modelwright.styles.nos.library"
    for module, name, ours in (
        ("nos.common", "ModelSpec", f"{library}.common.spec"),
        ("nos.common.spec", "RuntimeEnv", f"{library}.common.runtime_env"),
        ("nos.common.runtime_env", "RuntimeEnv", f"{library}.common.runtime_env"),
        ("nos.common.tasks", "TaskType", f"{library}.common.tasks"),
        ("nos.common.exceptions", "InputValidationException", f"{library}.common.exceptions"),
        ("nos.managers", "ModelHandle", f"{library}.managers.handle"),
        ("nos.managers.model", "ModelManager", f"{library}.managers.model"),
        ("nos.manager", "ModelManager", f"{library}.managers.model"),
    ):
        assert getattr(importlib.import_module(module), name).__module__ == ours
    assert len(importlib.import_module("nos.manager").manager) == 0
    assert importlib.import_module("nos.logging").logger.name == "nos"
