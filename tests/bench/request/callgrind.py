"""Instructions of a stage: two children under valgrind, one with requests and one without, and what they add."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster import packages
from tests import compiled
from tests.bench.serving.peers import ROOT, say

REQUESTS = 2_000
# Seconds, after which a child hangs: it takes a dozen.
_PATIENCE = 180
_COLLECTED = re.compile(r"Collected : (\d+)")


@dataclass(frozen=True)
class Stage:
    """How far requests are taken, and in which style."""

    style: str
    name: str


@contextmanager
def children() -> Iterator[Children]:
    """Have valgrind, and the compiled server of this very tree in a folder that no other bench makes anew meanwhile.

    Raises:
        PackagesMissingError: there is no valgrind, or no compiler, and none can be installed.
        subprocess.CalledProcessError: the server cannot be compiled.

    """
    packages.require("valgrind")
    with tempfile.TemporaryDirectory(prefix="bench-request-") as name:
        say("compiling, as the builder does for images")
        compiled.unpack(Path(name))
        yield Children(Path(name))


class Children:
    """Processes that take requests to a stage, with the compiled modules in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prove(self, styles: Sequence[str]) -> None:
        """Have each style answer once without valgrind; raises RuntimeError for one that does not."""
        for style in styles:
            say(f"{style}: a first request")
            # It leaves the bytecode behind, too, which the first counted child alone would make.
            self._ran([], Stage(style, "whole"), 1)

    def count(self, stages: Sequence[Stage]) -> dict[Stage, float]:
        """Return each stage's instructions a request; raises RuntimeError where a child fails."""
        # What comes before the first counted request is a style's, whichever the stage.
        starts = dict.fromkeys(Stage(stage.style, "none") for stage in stages)
        wanted = [*((stage, 0) for stage in starts), *((stage, REQUESTS) for stage in stages)]
        collected: dict[tuple[Stage, int], int] = {}
        pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)))
        try:
            running = {pool.submit(self._collected, *each): each for each in wanted}
            for done in as_completed(running):
                stage, requests = running[done]
                collected[stage, requests] = done.result()
                say(f"{len(collected)} of {len(running)}: {stage.style}, {stage.name}, {requests:,} requests")
        finally:
            pool.shutdown(cancel_futures=True)
        return {
            stage: (collected[stage, REQUESTS] - collected[Stage(stage.style, "none"), 0]) / REQUESTS
            for stage in stages
        }

    def _collected(self, stage: Stage, requests: int) -> int:
        with tempfile.TemporaryDirectory(prefix="bench-callgrind-") as name:
            valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={Path(name, 'profile')}"]
            told = self._ran(valgrind, stage, requests)
        found = _COLLECTED.search(told)
        if found is None:
            raise RuntimeError(f"{stage.style}, {stage.name}: valgrind tells no count:\n{told[-2000:]}")
        return int(found[1])

    def _ran(self, before: Sequence[str], stage: Stage, requests: int) -> str:
        """Run the driver behind the words of `before`, and return what is told on standard error."""
        driver = [sys.executable, "-m", "tests.bench.request.drive", stage.style, stage.name, str(requests)]
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        # Hashes and the idle threads of BLAS would count differently each time.
        fixed = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        ran = subprocess.run(
            [*before, *driver],
            cwd=ROOT,
            env={**kept, **fixed, "PYTHONPATH": str(self._folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
        if ran.returncode:
            raise RuntimeError(f"{stage.style}, {stage.name} failed:\n{ran.stderr[-2000:]}")
        return ran.stderr
