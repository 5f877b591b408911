"""Which modules are compiled: what mypyc would take for something else, and what would crash, is held out here."""

import ast
import runpy
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"][
    "custom"
]
# Bases that mypyc knows the layout of. Any other is no type at all to it, and an object of the class crashes.
KNOWN_BASES = {"Enum", "Exception"}


def classes(module: str) -> list[ast.ClassDef]:
    tree = ast.parse((ROOT / HOOK["source"] / module).read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


# By name alone: no two compiled classes share one.
COMPILED = [node.name for module in HOOK["modules"] for node in classes(module)]


@pytest.mark.parametrize("module", HOOK["modules"])
def test_compiled_classes_have_bases_that_the_compiler_knows(module: str) -> None:
    bases = {ast.unparse(base) for node in classes(module) for base in node.bases}
    assert bases <= {*COMPILED, *KNOWN_BASES}
    assert not bases & {name for name in COMPILED if COMPILED.count(name) > 1}


@pytest.mark.parametrize("module", HOOK["modules"])
def test_compiled_modules_have_no_async_generators(module: str) -> None:
    tree = ast.parse((ROOT / HOOK["source"] / module).read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    assert not [each.name for each in functions if any(isinstance(node, ast.Yield) for node in ast.walk(each))]


@pytest.mark.parametrize("module", HOOK["modules"])
def test_nothing_compiled_waits_while_it_handles_an_exception(module: str) -> None:
    """Compiled, the exception stays the thread's current one, and the context of whatever is raised next."""
    tree = ast.parse((ROOT / HOOK["source"] / module).read_text())
    blocks: list[ast.AST] = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler | ast.AsyncWith)]
    blocks += [statement for node in ast.walk(tree) if isinstance(node, ast.Try) for statement in node.finalbody]
    blocks += [node for node in ast.walk(tree) if isinstance(node, ast.With)]
    waits = (ast.Await, ast.AsyncWith, ast.AsyncFor)
    assert not [node.lineno for block in blocks for node in ast.walk(block) if isinstance(node, waits)]


def test_a_switch_that_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # hatchling is there only where a wheel is built.
    interface = SimpleNamespace(BuildHookInterface=object)
    monkeypatch.setitem(sys.modules, "hatchling.builders.hooks.plugin.interface", interface)
    hook = runpy.run_path(str(ROOT / "hatch_build.py"))
    monkeypatch.setenv(hook["SWITCH"], "yes")
    with pytest.raises(ValueError, match="MODELWRIGHT_COMPILE is 'yes'; write 1"):
        hook["_asked"]()


def test_nothing_is_compiled_unless_asked_for_nor_in_an_editable_install(monkeypatch: pytest.MonkeyPatch) -> None:
    interface = SimpleNamespace(BuildHookInterface=object)
    monkeypatch.setitem(sys.modules, "hatchling.builders.hooks.plugin.interface", interface)
    hook = runpy.run_path(str(ROOT / "hatch_build.py"))
    monkeypatch.delenv(hook["SWITCH"], raising=False)
    made = hook["CompileHook"]()
    made.config = HOOK
    data: dict[str, object] = {}
    made.initialize("standard", data)
    assert (made.dependencies(), data) == ([], {})
    monkeypatch.setenv(hook["SWITCH"], "1")
    made.initialize("editable", data)
    assert (made.dependencies(), data) == (HOOK["requires"], {})
