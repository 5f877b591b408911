"""The names of the examples' models, read from their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from modelwright.styles import names, weight_files
from modelwright.styles.detect import detect

EXAMPLES = Path(__file__).parents[3] / "runtimes" / "examples"


@pytest.mark.parametrize(
    ("example", "named"),
    [
        ("01-iris", {"iris": ""}),
        ("03-sum-model", {"sum-model": ""}),
        ("04-question-answering", {"question-answering": "v1"}),
        ("07-nos-clip", {"CLIP": ""}),
        ("08-curator-cradio", {"CRadio": ""}),
        ("09-imil", {"CustomClipModelLoader": "", "CustomDetectoModelLoader": ""}),
    ],
)
def test_an_example_s_models_are_named_as_they_are_served(example: str, named: dict[str, str]) -> None:
    folder = EXAMPLES / example

    assert names.named(folder, detect(folder).style) == named
    assert weight_files.left_out(folder) == []


def test_a_file_that_is_no_python_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("class (:\n")
    (tmp_path / "model.py").write_text("from kserve import Model\nclass A(Model): ...\nA('a')\n")

    assert names.named(tmp_path, "kserve") == {"a": ""}
