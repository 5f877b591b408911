"""One line a step, on standard error, with what it took: what `make builder` shows."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def step(what: str) -> Iterator[Callable[[str], None]]:
    """Announce a step and finish its line with the seconds it took, or with a note given meanwhile."""
    notes: list[str] = []
    started = time.monotonic()
    print(f"builder: {what} ...", end="", file=sys.stderr, flush=True)
    try:
        yield notes.append
    except BaseException:
        print(" failed", file=sys.stderr, flush=True)
        raise
    ending = [*notes, f"{time.monotonic() - started:.1f} s"]
    print(" " + ", ".join(ending), file=sys.stderr, flush=True)
