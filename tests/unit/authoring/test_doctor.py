"""Every rule of `modelwright doctor` finds its trap, leaves the right code alone, and mends what it says it can."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from modelwright.authoring.doctor.findings import Edit
from modelwright.authoring.doctor.mend import apply
from modelwright.authoring.doctor.project import Project
from modelwright.authoring.doctor.rules.table import GENERAL, STYLES, examine
from modelwright.authoring.errors import Mistake

from tests.unit.authoring import doctor_cases as cases

NAMED = [pytest.param(case, id=f"{case.code}-{number}") for number, case in enumerate(cases.CASES)]


def folder_of(files: dict[str, str], folder: Path) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def found(folder: Path, code: str) -> list:
    return [each for each in examine(Project.read(folder)) if each.rule.code == code]


def doctor(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "modelwright", "doctor", *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


@pytest.mark.parametrize("case", NAMED)
def test_a_rule_finds_its_trap_and_nothing_in_the_right_code(case, tmp_path: Path) -> None:
    bad, good = folder_of(case.bad, tmp_path / "bad"), folder_of(case.good, tmp_path / "good")
    if case.link:
        (tmp_path / "outside").write_text("weights")
        (bad / "weights").symlink_to(tmp_path / "outside")
        (good / "weights").symlink_to(good / "model.py")
    first = found(bad, case.code)[0]
    assert (first.hit.path, first.hit.line) == (bad / case.file, case.line), first.hit.what
    assert found(good, case.code) == []
    assert bool(first.hit.edits) == case.fixed


@pytest.mark.parametrize("case", [each for each in NAMED if each.values[0].fixed])
def test_fix_makes_the_right_code_of_the_bad_byte_for_byte(case, tmp_path: Path) -> None:
    bad = folder_of(case.bad, tmp_path)
    edits = [edit for each in found(bad, case.code) for edit in each.hit.edits]
    assert apply((bad / case.file).read_bytes(), edits).decode() == case.good[case.file]


def test_every_rule_has_a_case() -> None:
    rules = [rule.code for group in (GENERAL, *STYLES.values()) for rule in group]
    assert len(rules) == len(set(rules))
    assert set(rules) == {case.code for case in cases.CASES}


@pytest.mark.parametrize("example", sorted(Path("runtimes/examples").glob("*/")), ids=lambda path: path.name)
def test_our_examples_have_no_errors(example: Path) -> None:
    errors = [each for each in examine(Project.read(example)) if each.rule.severity == "error"]
    assert [(each.rule.code, each.hit.what) for each in errors] == []


def test_the_command_tells_where_why_and_the_remedy_and_exits_by_the_errors(tmp_path: Path) -> None:
    case = next(each for each in cases.STYLED["mlserver"] if each.code == "mlserver-attribute")
    folder_of(case.bad, tmp_path)
    done = doctor(tmp_path)
    assert done.returncode == 1, done.stderr
    assert f"{tmp_path}/model.py:4: error: .parametes is likely .parameters [mlserver-attribute]" in done.stdout
    assert "    remedy: spell it as MLServer does (--fix does it)\n" in done.stdout
    (only,) = json.loads(doctor(tmp_path, "--format", "json").stdout)["findings"]
    assert (only["code"], only["line"], only["severity"], only["fixable"]) == ("mlserver-attribute", 4, "error", True)


def test_fix_writes_a_diff_and_keeps_everything_else(tmp_path: Path) -> None:
    text = (
        "import mlserver\r\n\r\n# é\r\nclass M(mlserver.MLModel):\r\n\tdef load(self):\r\n\t\tx = 'ü';   self.w = x\r\n"
    )
    path = tmp_path / "model.py"
    path.write_bytes(text.encode())
    path.chmod(0o640)
    done = doctor(tmp_path, "--fix")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "+\tasync def load(self):" in done.stderr
    fixed = text.replace("def load", "async def load").replace("self.w = x\r\n", "self.w = x\r\n\t\treturn True\r\n")
    assert path.read_bytes() == fixed.encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["model.py"]
    again = doctor(tmp_path, "--fix")
    assert (again.returncode, again.stderr) == (0, "")


def test_fix_refuses_a_folder_with_a_file_that_does_not_parse(tmp_path: Path) -> None:
    case = next(each for each in cases.STYLED["mlserver"] if each.code == "mlserver-attribute")
    folder_of({**case.bad, "other.py": "def f(:\n"}, tmp_path)
    done = doctor(tmp_path, "--fix")
    assert (done.returncode, "--fix changes nothing while a file does not parse" in done.stderr) == (2, True)
    assert (tmp_path / "model.py").read_text() == case.bad["model.py"]


def test_nothing_of_the_authors_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (tmp_path / "model.py").write_text(f"import mlserver\nopen({str(mark)!r}, 'w')\nclass M(mlserver.MLModel): ...\n")
    doctor(tmp_path)
    assert not mark.exists()


def test_one_file_is_examined_alone(tmp_path: Path) -> None:
    folder_of({"a.py": "import nos\nx = undefined_a\n", "b.py": "x = undefined_b\n"}, tmp_path)
    done = doctor(tmp_path / "a.py")
    assert "undefined_a" in done.stdout
    assert "undefined_b" not in done.stdout


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="is not there: name a folder with a model, or a Python file"):
        Project.read(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("")
    assert "is no Python file" in doctor(tmp_path / "notes.txt").stderr


def test_of_edits_that_overlap_the_first_is_made(tmp_path: Path) -> None:
    path = tmp_path / "x"
    edits = [Edit(path, 0, 4, b"A"), Edit(path, 2, 6, b"B"), Edit(path, 6, 6, b"!"), Edit(path, 6, 6, b"!")]
    assert apply(b"01234567", edits) == b"A45!67"


def test_packages_are_wanted_for_what_is_served_and_not_for_tools_and_tests(tmp_path: Path) -> None:
    files = {
        "model.py": "import mlserver\nfrom .helper import work\n",
        "helper.py": "import scipy\ndef work(): return scipy\n",
        "train.py": "import sklearn\n",
        "test_model.py": "import pytest\n",
        "requirements.txt": "",
    }
    told = [each.hit.what for each in found(folder_of(files, tmp_path), "requirements-lack")]
    assert told == ["scipy is imported and not in requirements.txt"]
    (tmp_path / "environment.yaml").write_text("dependencies: [scipy]\n")
    assert found(tmp_path, "requirements-lack") == []
