"""Which changes of a file restart the server, and which are taken over."""

from __future__ import annotations

import ast

import pytest
from modelwright.authoring.reload.compare import Difference, compare

CODE = """
import math

LIMIT = 3

def scale(x):
    return x * 2

def warm(model):
    return model.once(1)

class Net:
    def __init__(self):
        self.w = 1

    def __call__(self, x):
        return x + self.w

class Model:
    kind = "a"

    def __init__(self):
        self.load()

    def load(self):
        self.net = Net()
        warm(self)

    def once(self, x):
        return self._deep(x)

    def _deep(self, x):
        return x

    @property
    def said(self):
        return 1

    def predict(self, x):
        return scale(self.net(x))
"""


def difference(old: str, new: str) -> Difference:
    assert old in CODE
    return compare("m.py", ast.parse(CODE), ast.parse(CODE.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("scale(self.net(x))", "self.net(x)", ["Model.predict"]),
        ("x * 2", "x * 3", ["scale"]),
        ("x + self.w", "x - self.w", ["Net.__call__"]),
        ("        return 1\n", "        return 2\n", ["Model.said"]),
        ("    def predict(self, x)", "    async def predict(self, x, y=1)", ["Model.predict"]),
        ("    def predict", "    def post(self):\n        pass\n\n    def predict", ["Model.post"]),
        ("    @property\n    def said(self):\n        return 1\n", "", ["Model.said"]),
        ("LIMIT = 3", "# only a comment\nLIMIT  =  3", []),
        ("import math", '"""Only a text."""\nimport math', []),
    ],
)
def test_handlers_are_taken_over(old: str, new: str, changed: list[str]) -> None:
    found = difference(old, new)
    assert (found.restart, [str(unit) for unit in found.changed]) == (None, changed)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("LIMIT = 3", "LIMIT = 4", "m.py:4: module-level code changed"),
        ("import math", "import math, os", "m.py:2: module-level code changed"),
        ("import math\n", "", "m.py: code outside of methods is gone or in another order"),
        ('kind = "a"', 'kind = "b"', "m.py:20: class Model's own code changed"),
        ("class Model:", "class Model(Net):", "m.py:19: the head of class Model changed"),
        ("self.net = Net()", "self.net = Net", "m.py: Model.load, which loads, changed"),
        ("self.w = 1", "self.w = 2", "m.py: Net.__init__, which loads, changed"),
        ("model.once(1)", "model.once(2)", "m.py: warm, which is used where the model is loaded, changed"),
        ("self._deep(x)", "x", "m.py: Model.once, which is used where the model is loaded, changed"),
        (
            "        return x\n",
            "        return -x\n",
            "m.py: Model._deep, which is used where the model is loaded, changed",
        ),
    ],
)
def test_what_loads_restarts(old: str, new: str, reason: str) -> None:
    assert difference(old, new).restart == reason


def test_methods_of_a_decorated_class_restart() -> None:
    before = "@serve\nclass A:\n    def predict(self):\n        return 1\n"
    found = compare("m.py", ast.parse(before), ast.parse(before.replace("1", "2")))
    assert found.restart == "m.py: A.predict changed, and class A is decorated"


def test_a_decorator_that_changed_is_one_that_import_used() -> None:
    before = "def deco(f):\n    return f\n\n@deco\ndef g():\n    return 1\n"
    found = compare("m.py", ast.parse(before), ast.parse(before.replace("return f", "return print")))
    assert found.restart == "m.py: deco, which is used where the model is loaded, changed"


def test_what_moved_goes_along_unless_it_is_decorated() -> None:
    found = difference("LIMIT = 3", "# moves all\nLIMIT = 3")
    assert "Model.predict" in map(str, found.put)
    assert "Model.said" not in map(str, found.put)
