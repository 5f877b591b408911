import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from modelwright_operator.settings import Settings

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "modelwright"


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("chart_generate", ROOT / "charts" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def values():
    return yaml.safe_load((CHART / "values.yaml").read_text())


@pytest.fixture(scope="module")
def schema():
    return json.loads((CHART / "values.schema.json").read_text())


def test_the_generated_files_are_not_stale(generate):
    stale = [path.name for path, text in generate.outputs().items() if path.read_text() != text]
    assert stale == [], "run make gen"


def test_the_chart_has_every_crd_and_no_other(generate):
    ours = {path.name: path.read_bytes() for path in (CHART / "files").iterdir()}
    assert ours == {path.name: path.read_bytes() for path in (ROOT / "crds").glob("*.yaml")}
    assert ours


def test_every_setting_of_the_operator_has_a_value(generate, schema):
    reachable = set(schema["properties"]["settings"]["properties"])
    assert reachable == {generate.camel(name) for name in Settings.model_fields} - {"namespaces"}
    assert "watchNamespaces" in schema["properties"]


def test_every_setting_has_a_description(schema):
    bare = [name for name, fact in schema["properties"]["settings"]["properties"].items() if not fact["description"]]
    assert bare == []


def open_objects(schema, path=""):
    if schema.get("type") == "object" and "properties" in schema:
        if schema.get("additionalProperties") is not False:
            yield path or "."
        for name, below in schema["properties"].items():
            yield from open_objects(below, f"{path}.{name}")


def test_the_schema_is_closed_so_that_a_typing_error_is_refused(schema):
    assert schema["additionalProperties"] is False
    assert list(open_objects(schema)) == []


def test_the_schema_has_every_value(values, schema):
    assert set(schema["properties"]) == {*values, "global"}


def test_every_value_is_documented():
    lines = (CHART / "values.yaml").read_text().splitlines()
    bare = []
    for number, line in enumerate(lines):
        found = re.match(r"^( *)(\w+):", line)
        group = number + 1 < len(lines) and re.match(r" +\S", lines[number + 1]) and line.rstrip().endswith(":")
        inner = found and len(found[1]) > 2
        if not found or group or inner:
            continue
        above = number - 1
        while lines[above].lstrip().startswith("#") and "# --" not in lines[above]:
            above -= 1
        if "# --" not in lines[above] and not _in_open_object(lines, number):
            bare.append(line)
    assert bare == []


def _in_open_object(lines, number):
    """Say whether the line is a key of one of Kubernetes' own types, which Kubernetes documents."""
    top = next(line for line in reversed(lines[: number + 1]) if re.match(r"\w", line))
    return lines[number].startswith(" ") and top.startswith(("resources:", "podSecurityContext:"))


def test_the_versions_are_the_projects():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (chart["version"], chart["appVersion"]) == (version, version)
