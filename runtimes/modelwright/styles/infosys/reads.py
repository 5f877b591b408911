"""Which keys of its request an author's method reads, told from its source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any


def keys_read(method: Callable[..., Any]) -> frozenset[str]:
    """Give the keys that `method` reads of its first argument as `argument["key"]`, which raises where one is absent.

    A method whose source is not to be had, or that changes the argument's name, is not looked into: empty.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    except (OSError, TypeError, SyntaxError):
        return frozenset()
    function = tree.body[0]
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return frozenset()
    names = [argument.arg for argument in function.args.args if argument.arg != "self"]
    if not names:
        return frozenset()
    return frozenset(
        node.slice.value
        for node in ast.walk(function)
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.value, ast.Name)
        and node.value.id == names[0]
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )
