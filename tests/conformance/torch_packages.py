"""A real torch, installed once beside the tests' environment: the versions that the examples name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from cluster.paths import cache_folder
from tests.conformance.server_process import ROOT

EXAMPLES = ROOT / "runtimes" / "examples"
FOLDER = cache_folder() / "torch"


def install(uv: str) -> Path:
    """Give the folder with torch's packages; PyPI's are 2.9 GB, and are fetched where nobody has done so."""
    wanted = [
        line
        for line in (EXAMPLES / "02-alexnet" / "requirements.txt").read_text().splitlines()
        if re.match(r"torch(vision)?==", line)
    ]
    folder = FOLDER
    complete = folder / "complete"
    if not (complete.is_file() and complete.read_text() == " ".join(wanted)):
        print(f"installing {' '.join(wanted)}", file=sys.stderr, flush=True)
        # uv's own cache would hold on to gigabytes that nothing else here asks for.
        command = [uv, "pip", "install", "--quiet", "--no-cache", "--python", sys.executable, "--target", str(folder)]
        subprocess.run([*command, *wanted], check=True)
        complete.write_text(" ".join(wanted))
    return folder


def environment(folder: Path, within: Path) -> dict[str, str]:
    """Give the environment of processes that find torch behind what the tests' environment has; `within` is scratch."""
    (within / "sitecustomize.py").write_text(f"import sys\nsys.path.append({str(folder)!r})\n")
    return {"PYTHONPATH": f"{ROOT / 'runtimes'}:{within}"}
