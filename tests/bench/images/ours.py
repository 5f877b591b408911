"""Our side: `modelwright build --push` with this tree's builder, by the engine that it takes of its own accord."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from buildpacks import engine
from buildpacks.builder.create import builder
from tests.bench.images.step import Figures, change, copy, progress, sizes, timed

_PUSHED = re.compile(r"pushed, (?P<digest>sha256:\w+) (?P<seconds>[\d.]+) s by \w+$")


def measure(repeat: int) -> Figures:
    """Build the example, changed and unchanged, and twice from nothing."""
    image = f"{engine.registry()}/modelwright-bench/{secrets.token_hex(4)}:dev"
    with tempfile.TemporaryDirectory(prefix="modelwright-bench-") as scratch:
        folder = copy(Path(scratch) / "app")
        progress("Modelwright: the builder")
        words = [sys.executable, "-m", "modelwright", "build", str(folder), "--push", "--builder", builder()]
        shell = {**os.environ, **engine.environment()}

        def once(*, fresh: bool = False, at: str = image) -> re.Match[str]:
            command = [*words, "--tag", at, *(["--no-cache"] if fresh else [])]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=shell)
            said = _PUSHED.search(done.stdout.strip())
            assert said is not None, done.stdout
            return said

        once()  # Warms what a machine has after its first image: the builder's image, and the base's layers.
        digests = [once(fresh=True, at=f"{image}-{number}")["digest"] for number in range(2)]
        first = timed("Modelwright: first build", lambda: once(fresh=True, at=f"{image}-first"))
        code, inside = [], []
        for number in range(repeat):
            change(folder, number)
            what = f"Modelwright: change of code {number + 1} of {repeat}"
            code.append(timed(what, lambda: inside.append(float(once()["seconds"]))))
        nothing = timed("Modelwright: no change", once)
        return Figures(first, code, nothing, *sizes(image), digests, inside)
