"""What another process is given before it reads pickled objects."""

import sys

import pytest
from modelwright.scale.surroundings import Surroundings
from modelwright.styles.substitutes import Finder


def test_import_hooks_and_folders_are_taken_over_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [*(each for each in sys.meta_path if type(each) is not Finder), Finder()])
    monkeypatch.setattr(sys, "path", ["/models/a", *sys.path])
    described = Surroundings.here()
    assert Finder in described.finders
    monkeypatch.setattr(sys, "meta_path", [each for each in sys.meta_path if type(each) is not Finder])
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each != "/models/a"])
    described.take()
    described.take()
    assert [type(each) for each in sys.meta_path].count(Finder) == 1
    assert sys.path.count("/models/a") == 1
