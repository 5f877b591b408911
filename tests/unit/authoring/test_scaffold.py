"""What `modelwright init` writes, and what it refuses to."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from modelwright.authoring import scaffold
from modelwright.authoring.doctor.project import Project
from modelwright.authoring.doctor.rules.table import examine
from modelwright.authoring.errors import Mistake
from modelwright.cli import main
from modelwright.styles.detect import detect


@pytest.mark.parametrize("style", scaffold.STYLES)
@pytest.mark.parametrize("name", ["iris", "model", "my-model-2"])
def test_a_project_is_whole_told_by_its_files_and_healthy(style: str, name: str, tmp_path: Path) -> None:
    texts = scaffold.files(style, name)
    scaffold.write(tmp_path, texts)
    assert {"Procfile", "README.md", "isvc.yaml", "requirements.txt", "runtime.txt", "test_model.py"} <= texts.keys()
    assert not [file for file, text in texts.items() if "@" in text.replace("@decode_args", "").replace("@property", "")
                .replace("@pytest", "").replace(" @ ", "")]  # fmt: skip
    json.loads(texts["input.json"])
    assert detect(tmp_path).style == style
    assert [each.hit.what for each in examine(Project.read(tmp_path))] == []
    for file, text in texts.items():
        if file.endswith(".py"):
            ast.parse(text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("iris", "Iris"), ("my-model", "MyModel"), ("a--b2", "AB2"), ("model-spec", "ModelSpecServed")],
)
def test_the_class_is_named_after_the_service(name: str, expected: str) -> None:
    assert scaffold.class_name(name) == expected
    assert f"class {expected}" in scaffold.files("nos", name)["model.py"]


@pytest.mark.parametrize("name", ["", "Iris", "-a", "a-", "1a", "a_b", "a" * 41, "../a"])
def test_a_name_that_no_service_can_have_is_refused(name: str) -> None:
    with pytest.raises(Mistake, match="cannot name a service: small letters, digits and '-'"):
        scaffold.files("kserve", name)


def test_nothing_is_ever_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--style", "mlserver", "iris"]) == 0
    assert "next: cd iris && modelwright serve ." in capsys.readouterr().out
    (tmp_path / "iris" / "model.py").write_text("mine")
    assert main(["init", "iris"]) == 2
    assert "iris is not empty, and nothing is overwritten" in capsys.readouterr().err
    assert (tmp_path / "iris" / "model.py").read_text() == "mine"
    assert main(["init", "other", "--folder", "iris/model.py"]) == 2
    assert "cannot be written: File exists" in capsys.readouterr().err
