from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cluster import tools
from cluster.paths import modules_folder


def tool(name: str) -> tools.Tool:
    return tools.select([name])[0]


def test_every_tool_is_pinned_to_an_exact_version_in_a_module_of_its_own() -> None:
    for each in tools.TOOLS:
        assert tools.version(each).startswith("v"), each.name
        text = (modules_folder() / each.module / "go.mod").read_text()
        assert f"module modelwright.dev/cluster/modules/{each.module}\n" in text
        assert each.package in text, f"{each.name}: no tool line for {each.package}"


def test_selection_is_in_building_order_and_without_repetition() -> None:
    assert [each.name for each in tools.select(["helm", "kubectl", "etcd", "kubectl"])] == ["etcd", "kubectl", "helm"]


def test_an_unknown_tool_is_named_with_those_that_exist() -> None:
    with pytest.raises(tools.UnknownToolError, match=r"no module builds kubeclt; there are: .*kubectl"):
        tools.select(["kubectl", "kubeclt"])


def test_versions_are_stamped_as_the_releases_stamp_them() -> None:
    flags = tools.linker_flags(tool("kube-apiserver"))
    assert flags.startswith("-s -w ")
    assert "-X k8s.io/component-base/version.gitVersion=v1.34.4" in flags
    assert "-X k8s.io/component-base/version.gitMinor=34" in flags
    assert tools.linker_flags(tool("lifecycle")).endswith("/cmd.Version=0.20.8")


def test_the_oldest_go_that_will_do_is_the_newest_that_a_module_asks_for() -> None:
    assert tools.go_version(tools.select(["etcd", "versitygw"])) == (1, 25, 0)


@pytest.mark.parametrize("file", ["go.mod", "go.sum"])
def test_a_changed_module_file_changes_the_key(tmp_path: Path, file: str) -> None:
    shutil.copytree(modules_folder() / "kind", tmp_path / "kind")
    before = tools.key(tool("kind"), tmp_path)
    assert before == tools.key(tool("kind")), "the place of the module must not matter"
    with (tmp_path / "kind" / file).open("a") as text:
        text.write("// changed\n")
    assert tools.key(tool("kind"), tmp_path) != before


def test_two_tools_of_one_module_have_two_keys() -> None:
    assert tools.key(tool("lifecycle")) != tools.key(tool("launcher"))


def test_the_readme_lists_every_tool_with_the_version_that_is_built() -> None:
    lines = (modules_folder().parent / "README.md").read_text().splitlines()
    for each in tools.TOOLS:
        row = next(line for line in lines if line.startswith(f"| {each.source} |"))
        assert f"| {tools.version(each)} |" in row
        assert each.name in row.split("|")[4], f"{each.name} is not in the row of {each.source}"
