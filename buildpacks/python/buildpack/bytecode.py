"""Compiled files in the environment: of what is imported where a model is served, and of nothing else."""

import shutil
from pathlib import Path

TESTS = frozenset({"test", "tests"})
"""Packages' own tests: a third of all compiled files. Who imports one compiles it then, since its source is there."""


def leave_out_tests(packages: Path) -> None:
    """Delete what was compiled of packages' tests."""
    for folder in list(packages.rglob("__pycache__")):
        if TESTS.intersection(folder.relative_to(packages).parts):
            shutil.rmtree(folder)
