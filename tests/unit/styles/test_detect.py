"""Telling the style of a file or a folder without running it."""

from __future__ import annotations

from pathlib import Path

import pytest
from modelwright.styles.detect import UnknownStyle, Weight, detect
from modelwright.styles.source import UnreadableSource, read

FILES = {
    "kserve": "from kserve import Model, ModelServer\nclass M(Model): ...\n",
    "mlserver": "import mlserver\nclass M(mlserver.MLModel): ...\n",
    "nos": "from nos.common import ModelSpec\nclass M: ...\nspec = ModelSpec.from_cls(M)\n",
    "nemo_curator": "from nemo_curator.video.models import model_utils as u\nclass M(u.ModelInterface): ...\n",
    "infosys": "from modelloader.base_model_loader import BaseModelLoader\nclass MModelLoader(BaseModelLoader): ...\n",
}


@pytest.mark.parametrize("style", FILES)
def test_a_subclass_or_a_call_tells_the_style_of_a_file_and_of_its_folder(style: str, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(FILES[style])
    for target in (file, tmp_path):
        found = detect(target)
        assert (found.style, found.weight) == (style, Weight.CLASS)
        assert found.what.startswith("model.py")


def test_nothing_of_the_authors_is_run(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("from kserve import Model\nraise SystemExit(3)\nclass M(Model): ...\n")
    assert detect(tmp_path).style == "kserve"


def test_an_import_inside_a_function_and_under_another_name_counts(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f():\n    import nos.client as c\n    return c\n")
    assert (detect(tmp_path).style, detect(tmp_path).weight) == ("nos", Weight.IMPORT)


@pytest.mark.parametrize(
    ("file", "style"), [("mil_config.json", "infosys"), ("sum/model-settings.json", "mlserver"), ("serve.yaml", "nos")]
)
def test_a_styles_own_file_tells_it(file: str, style: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("{}")
    assert detect(tmp_path).style == style


def test_a_class_outweighs_a_helpers_import(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import nos\n")
    (tmp_path / "b.py").write_text(FILES["mlserver"])
    assert detect(tmp_path).style == "mlserver"


def test_two_styles_are_not_guessed_between(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(FILES["kserve"])
    (tmp_path / "b.py").write_text(FILES["mlserver"])
    with pytest.raises(UnknownStyle, match=r"kserve: a\.py:2: class M\(kserve\.Model\); mlserver: b\.py:2.*--style"):
        detect(tmp_path)


def test_no_style_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("class CLIP: ...\n")
    with pytest.raises(UnknownStyle, match=r"none of the styles kserve, mlserver, nos, nemo_curator, infosys.*--style"):
        detect(tmp_path)


def test_environments_and_tests_are_not_read(tmp_path: Path) -> None:
    for folder in (".venv", "env", "tests"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m.py").write_text(FILES["mlserver"])
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (tmp_path / "m.py").write_text(FILES["kserve"])
    assert detect(tmp_path).style == "kserve"


def test_a_file_that_is_not_python_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "m.py"
    file.write_text("class M(:\n")
    with pytest.raises(UnreadableSource, match=r"m\.py:1: "):
        detect(file)


def test_a_source_has_the_methods_and_resolved_bases(tmp_path: Path) -> None:
    file = tmp_path / "m.py"
    file.write_text("import a.b\nimport c.d as e\nclass M(a.b.X, e.Y[int], Z):\n    async def f(self): ...\n")
    (found,) = read(file).classes
    assert found.bases == ("a.b.X", "c.d.Y", "Z")
    assert found.methods == {"f"}
