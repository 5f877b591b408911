"""How a target is served is told from its files, with the reason."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from modelwright.cli import target
from modelwright.cli.choice import Choice, choose
from modelwright.cli.errors import CommandError

CLASS = "from kserve import Model\n\nclass {name}(Model):\n    pass\n"
MAIN = "\nif __name__ == '__main__':\n    from kserve import ModelServer\n    ModelServer().start([])\n"
LOADER = "from modelloader.base_model_loader import BaseModelLoader\nclass MyModelLoader(BaseModelLoader): ...\n"
MLSERVER = "from mlserver import MLModel\nclass Sum(MLModel): ...\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def chosen(text: str, style: str | None = None) -> Choice:
    return choose(target.read(text), style)


def command(choice: Choice) -> list[str]:
    assert choice.words[0] == sys.executable
    return choice.words[1:]


def test_a_procfile_s_web_line_comes_first(here: Path) -> None:
    (here / "model.py").write_text(MLSERVER)
    (here / "Procfile").write_text("web: python -m model --x 1\n")
    choice = chosen(".")
    assert (command(choice), choice.folder, choice.named_by) == (["-m", "model", "--x", "1"], Path(), "the Procfile")
    assert "the web line 'python -m model --x 1'; --style S chooses another" in choice.told


def test_a_style_that_is_named_comes_before_a_procfile(here: Path) -> None:
    (here / "Procfile").write_text("web: python -m model\n")
    (here / "model.py").write_text(MLSERVER)
    assert command(chosen(".", "mlserver")) == ["-m", "modelwright.cli.styled", "mlserver", "."]


@pytest.mark.parametrize(
    "words", ["modelwright serve .", "python -m modelwright serve .", "/opt/bin/modelwright serve ."]
)
def test_a_web_line_that_is_this_verb_is_not_run_but_obeyed(here: Path, words: str) -> None:
    folder = here / "models"
    folder.mkdir()
    (folder / "Procfile").write_text(f"web: {words} --workers 2\n")
    (folder / "model.py").write_text(MLSERVER)
    expected = ["-m", "modelwright.cli.styled", "mlserver", "models", "--workers", "2"]
    assert command(chosen("models")) == expected


def test_such_a_line_s_own_target_and_style_count(here: Path) -> None:
    (here / "Procfile").write_text("web: modelwright serve --style infosys inner.py:MyModelLoader\n")
    (here / "inner.py").write_text(LOADER)
    assert command(chosen(".")) == ["-m", "modelwright.cli.styled", "infosys", "inner.py:MyModelLoader"]


def test_a_file_that_starts_a_model_server_is_run_as_it_is(here: Path) -> None:
    (here / "helper.py").write_text(CLASS.format(name="Helper"))
    (here / "model.py").write_text(CLASS.format(name="Mine") + MAIN)
    choice = chosen(".")
    assert (command(choice), choice.folder) == (["model.py"], Path())
    assert choice.told.startswith("kserve style, since helper.py:3: class Helper(kserve.Model); --style S chooses")
    assert (command(chosen("model.py")), chosen("model.py").folder) == (["model.py"], None)


def test_of_several_the_one_named_model_starts(here: Path) -> None:
    (here / "a.py").write_text(CLASS.format(name="A") + MAIN)
    (here / "b.py").write_text(CLASS.format(name="B") + MAIN)
    with pytest.raises(CommandError, match=r"several files that start a ModelServer \(a\.py, b\.py\)"):
        chosen(".")
    (here / "b.py").rename(here / "model.py")
    assert command(chosen(".")) == ["model.py"]


def test_classes_without_an_entry_point_are_served_directly(here: Path) -> None:
    (here / "model.py").write_text(CLASS.format(name="One") + CLASS.format(name="Two"))
    direct = ["-m", "modelwright.cli.direct"]
    assert command(chosen(".")) == [*direct, f"{here}/model.py:One,Two"]
    assert command(chosen("model.py:Two")) == [*direct, f"{here}/model.py:Two"]
    assert command(chosen(".:Two")) == [*direct, f"{here}/model.py:Two"]
    assert command(chosen("model:One")) == [*direct, "model:One"]
    assert command(chosen("somewhere.else:One")) == [*direct, "somewhere.else:One"]


@pytest.mark.parametrize(("style", "text"), [("infosys", LOADER), ("mlserver", MLSERVER)])
def test_other_styles_are_served_in_their_own(here: Path, style: str, text: str) -> None:
    (here / "code.py").write_text(text)
    choice = chosen("code.py")
    assert command(choice) == ["-m", "modelwright.cli.styled", style, "code.py"]
    assert choice.told.startswith(f"{style} style, since code.py:2: class")
    assert command(chosen("code:Named")) == ["-m", "modelwright.cli.styled", style, "code.py:Named"]


@pytest.mark.parametrize(
    ("text", "style", "message"),
    [
        (".", None, "shows none of the styles .* or write a Procfile with the line 'web: python -m model'"),
        (".", "torch", "--style 'torch' is none of kserve, mlserver"),
        (".", "kserve", "neither a subclass of kserve.Model nor a file that starts"),
        ("nowhere", None, "nowhere is not a folder, and no file either: name DIR"),
        ("nowhere.py:X", None, "nowhere.py is not a folder"),
        ("a:b:c", None, "'a:b:c' is neither DIR"),
        ("some.module:X", "nos", "is no file below this folder: name its file"),
        ("broken.py", None, r"broken\.py:1: "),
        ("both.py", None, "more than one style .* Name the one to serve with --style"),
        ("plain.py:Gone", "kserve", r"plain\.py has no class 'Gone'"),
    ],
)
def test_what_cannot_be_served_says_what_to_do(here: Path, text: str, style: str | None, message: str) -> None:
    (here / "plain.py").write_text("")
    if text == "broken.py":
        (here / "broken.py").write_text("class (\n")
    if text == "both.py":
        (here / "both.py").write_text(LOADER + MLSERVER)
    with pytest.raises(CommandError, match=message):
        chosen(text, style)


def test_models_in_several_files_are_named(here: Path) -> None:
    (here / "a.py").write_text(CLASS.format(name="A"))
    (here / "b.py").write_text(CLASS.format(name="B"))
    with pytest.raises(CommandError, match=r"models in several files \(a\.py:A, b\.py:B\)"):
        chosen(".")
