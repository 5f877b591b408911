"""What is rendered, whole: cases/NAME.yaml in, golden/NAME.yaml out. `--update-golden` rewrites the latter."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from modelwright_operator import desired
from modelwright_operator.api import InferenceService
from modelwright_operator.settings import Settings

HERE = Path(__file__).parent
CASES = sorted(path.stem for path in (HERE / "cases").glob("*.yaml"))


def rendered(case: dict[str, Any]) -> list[dict[str, Any]]:
    case["isvc"]["metadata"].setdefault("uid", "7f3c2d1e")
    isvc = InferenceService.model_validate(case["isvc"])
    settings = Settings(**case.get("settings", {}))
    inputs = desired.Inputs(**case.get("inputs", {}))
    assert desired.problems(isvc, settings, inputs) == []
    return desired.children(isvc, settings, inputs)


@pytest.mark.parametrize("name", CASES)
def test_renders_as_its_golden_file(name: str, request: pytest.FixtureRequest) -> None:
    children = rendered(yaml.safe_load((HERE / "cases" / f"{name}.yaml").read_text()))
    golden = HERE / "golden" / f"{name}.yaml"
    if request.config.getoption("--update-golden"):
        golden.write_text(yaml.dump_all(children, Dumper=_NoAliases, sort_keys=True, width=110))
    assert children == list(yaml.safe_load_all(golden.read_text()))


def test_every_golden_file_has_its_case() -> None:
    assert sorted(path.stem for path in (HERE / "golden").glob("*.yaml")) == CASES


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True
