"""The build log: one heading per step, plain lines below it, so that tests can assert the whole of it."""

import sys

from .errors import BuildpackError


def header(text: str) -> None:
    """Start a step."""
    print(f"\n[{text}]", flush=True)


def info(text: str) -> None:
    """Say one thing about the step at hand."""
    print(text, flush=True)


def error(problem: BuildpackError) -> None:
    """Print what went wrong and what to do about it, last, where a reader of the log looks first."""
    print(f"\n[Error: {problem.title}]\n{problem.remedy}\n", file=sys.stderr, flush=True)
