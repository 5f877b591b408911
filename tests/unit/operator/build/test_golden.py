"""What is made for a ModelImage, whole: cases/NAME.yaml in, golden/NAME.yaml out. `--update-golden` rewrites."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from modelwright_operator.api.modelimage import ModelImage
from modelwright_operator.desired.build import Target, build_job, cache_claim, resolve_job
from modelwright_operator.settings import Settings

from tests.unit.operator.build.objects import FACTS

HERE = Path(__file__).parent
CASES = sorted(path.stem for path in (HERE / "cases").glob("*.yaml"))


def made(case: dict[str, Any]) -> list[dict[str, Any]]:
    case["image"]["metadata"].setdefault("uid", "7f3c2d1e")
    target = Target(ModelImage.model_validate(case["image"]), Settings(**case.get("settings", {})), case.get("account"))
    claim = cache_claim(target)
    return [resolve_job(target, "65a1b2c3"), build_job(target, FACTS, 1), *([claim] if claim else [])]


@pytest.mark.parametrize("name", CASES)
def test_makes_its_golden_file(name: str, request: pytest.FixtureRequest) -> None:
    objects = made(yaml.safe_load((HERE / "cases" / f"{name}.yaml").read_text()))
    golden = HERE / "golden" / f"{name}.yaml"
    if request.config.getoption("--update-golden"):
        golden.write_text(yaml.dump_all(objects, Dumper=_NoAliases, sort_keys=True, width=110))
    assert objects == list(yaml.safe_load_all(golden.read_text()))


def test_every_golden_file_has_its_case() -> None:
    assert sorted(path.stem for path in (HERE / "golden").glob("*.yaml")) == CASES


@pytest.mark.parametrize("name", CASES)
def test_what_runs_buildpacks_sees_no_credentials(name: str) -> None:
    build = made(yaml.safe_load((HERE / "cases" / f"{name}.yaml").read_text()))[1]
    pod = build["spec"]["template"]["spec"]
    for container in [*pod["initContainers"], *pod["containers"]]:
        if container["name"] in ("detect", "build"):
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted <= {"layers", "workspace", "platform", "buildpacks-tmp", "certificates"}
            assert not any("valueFrom" in entry for entry in container.get("env", []))
            assert "DOCKER_CONFIG" not in {entry["name"] for entry in container["env"]}


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True
