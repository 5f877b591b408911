"""A folder that one of the doctor's rules finds something in, and the same folder as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

Files = dict[str, str]


@dataclass
class Case:
    """`bad` has the trap at `line` of `file`, `good` has not; `fixed` says that --fix makes the one of the other."""

    code: str
    bad: Files
    good: Files
    file: str = "model.py"
    line: int = 1
    fixed: bool = False
    link: bool = False


def code(text: str) -> Files:
    return {"model.py": dedent(text).lstrip("\n")}
