"""Our modules under the names of libraries that are not installed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from modelwright.styles import substitutes


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A library of ours, `standin`, that answers for `absent_library`."""
    package = tmp_path / "standin"
    package.mkdir()
    (package / "__init__.py").write_text("from standin.inner import Thing\n")
    (package / "inner.py").write_text("class Thing: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(substitutes, "LIBRARIES", {"absent_library": "standin"})
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    substitutes.install()
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith(("absent_library", "standin"))]:
        del sys.modules[name]


def test_classes_are_the_same_under_both_names(ours: Path) -> None:
    theirs = importlib.import_module("absent_library.inner")
    assert theirs is importlib.import_module("standin.inner")
    assert importlib.import_module("absent_library").Thing is theirs.Thing
    assert theirs.Thing.__module__ == "standin.inner"


def test_the_genuine_library_comes_first(ours: Path) -> None:
    (ours / "absent_library.py").write_text("GENUINE = True\n")
    importlib.invalidate_caches()
    assert importlib.import_module("absent_library").GENUINE


def test_a_folder_of_the_same_name_is_no_library(ours: Path) -> None:
    (ours / "absent_library").mkdir()
    importlib.invalidate_caches()
    assert importlib.import_module("absent_library").Thing


def test_a_module_that_we_have_not_is_missing_by_its_own_name(ours: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"absent_library\.other"):
        importlib.import_module("absent_library.other")


def test_installing_twice_changes_nothing(ours: Path) -> None:
    before = len(sys.meta_path)
    substitutes.install()
    assert len(sys.meta_path) == before
