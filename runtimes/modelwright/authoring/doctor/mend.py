"""Putting edits into files: everything else stays byte for byte as it was."""

from __future__ import annotations

import ast
import difflib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from modelwright.authoring.doctor.findings import Edit


def apply(raw: bytes, edits: Iterable[Edit]) -> bytes:
    """Give the text with the edits in it; of two that overlap, the first by place, and of equal ones one."""
    done, kept = 0, []
    for edit in sorted(dict.fromkeys(edits), key=lambda each: (each.start, each.end)):
        if edit.start >= done or edit.start == edit.end == done:
            kept.append(edit)
            done = max(done, edit.end)
    for edit in reversed(kept):
        raw = raw[: edit.start] + edit.text + raw[edit.end :]
    return raw


def parses(path: Path, raw: bytes) -> bool:
    """Tell whether the text is what its suffix says; other files always are."""
    try:
        if path.suffix == ".py":
            ast.parse(raw)
        elif path.suffix == ".json":
            json.loads(raw)
    except (SyntaxError, ValueError):
        return False
    return True


def diff(path: str, before: bytes, after: bytes) -> str:
    """Give a unified diff."""
    old, new = (each.decode("utf-8", "replace").splitlines(keepends=True) for each in (before, after))
    return "".join(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"))


def write(path: Path, raw: bytes) -> None:
    """Put the text in the file's place at once, with its permissions; raises OSError."""
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
        Path(name).chmod(target.stat().st_mode & 0o7777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
