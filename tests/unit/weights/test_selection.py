import pytest
from modelwright.weights import fetch
from modelwright.weights.errors import WeightsError
from modelwright.weights.fetch import Selection
from modelwright.weights.manifest import holds
from modelwright.weights.source import Item

URI = "file:///models"
ITEMS = [Item(name, name, 1, "e") for name in ("config.json", "model.safetensors", "sub/vocab.txt")]


@pytest.mark.parametrize(
    ("selection", "left"),
    [
        (Selection(), ["config.json", "model.safetensors", "sub/vocab.txt"]),
        (Selection(("config.json",)), ["config.json"]),
        (Selection(("*.json", "sub/*")), ["config.json", "sub/vocab.txt"]),
        (Selection(without=("*.safetensors",)), ["config.json", "sub/vocab.txt"]),
        (Selection(("*",), ("sub/*",)), ["config.json", "model.safetensors"]),
    ],
)
def test_files_are_chosen_by_name_and_by_pattern(selection, left):
    assert [item.name for item in selection.of(URI, ITEMS)] == left


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        (Selection(("config.json", "gone.bin", "*.h5")), "there is no file gone.bin, .*h5 among the 3 there"),
        (Selection(without=("*",)), "every file is left out"),
    ],
)
def test_what_the_source_has_not_is_named(selection, said):
    with pytest.raises(WeightsError, match=said):
        selection.of(URI, ITEMS)


def test_a_folder_is_known_by_what_was_wanted_of_which_source(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "a").write_text("1")
    (source / "b").write_text("2")
    only = Selection(("a",))
    assert fetch(f"file://{source}", target, {}, only) == ["a"]
    assert holds(target, f"file://{source}", only)
    assert not holds(target, f"file://{source}", Selection())
    assert not holds(target, f"file://{source}/b", only)
    (target / "a").write_text("longer")
    assert not holds(target, f"file://{source}", only)
