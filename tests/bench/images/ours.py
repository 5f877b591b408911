"""Our side: `modelwright build --push` with this tree's builder, by pack."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from buildpacks import engine
from tests.bench.images.step import Figures, change, copy, progress, sizes, timed


def measure(repeat: int) -> Figures:
    """Build the example, changed and unchanged, and twice from nothing."""
    image = f"{engine.registry()}/modelwright-bench/{secrets.token_hex(4)}:dev"
    with tempfile.TemporaryDirectory(prefix="modelwright-bench-") as scratch:
        folder, log = copy(Path(scratch) / "app"), Path(scratch) / "build.log"

        def once(*, fresh: bool = False, at: str = image) -> re.Match[str]:
            command = [sys.executable, "-m", "buildpacks.build", str(folder), at, "--log", str(log)]
            command += ["--fresh"] if fresh else []
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            said = re.search(r"in (?P<seconds>[\d.]+) s, .* (?P<digest>sha256:\w+)$", done.stdout.strip())
            assert said is not None, done.stdout
            return said

        progress("Modelwright: the builder")
        once()  # Warms what a machine has after its first image: builder, base images, the builder's own cache.
        digests = [once(fresh=True, at=f"{image}-{number}")["digest"] for number in range(2)]
        first = timed("Modelwright: first build", lambda: once(fresh=True, at=f"{image}-first"))
        code, inside = [], []
        for number in range(repeat):
            change(folder, number)
            what = f"Modelwright: change of code {number + 1} of {repeat}"
            code.append(timed(what, lambda: inside.append(float(once()["seconds"]))))
        nothing = timed("Modelwright: no change", once)
        return Figures(first, code, nothing, *sizes(image), digests, inside)
