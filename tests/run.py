"""`make test`: lint, unit, conformance, compiled, control plane, end to end; each stage is a command of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

from demo import stack
from tests.conformance import torch_packages


@dataclass(frozen=True)
class Stage:
    """A name and the command that is the stage."""

    name: str
    command: tuple[str, ...]


IMAGE_WITH_TORCH = 45 * 10**9
"""Bytes that are taken while the end-to-end tests make one."""

PYTEST = (sys.executable, "-m", "pytest", "--durations=5")
STAGES = (
    Stage("lint", ("make", "--silent", "lint")),
    Stage("unit", (*PYTEST, "-q", "-n", "2", "tests/unit")),
    Stage("conformance", (*PYTEST, "-q", "tests/conformance")),
    Stage("compiled", (sys.executable, "-m", "tests.compiled", "--durations=5")),
    Stage("control plane", (*PYTEST, "-v", "tests/controlplane")),
    Stage("end to end", (*PYTEST, "-v", "tests/e2e")),
)


def make_room() -> None:
    """Remove the torch that the conformance tests have installed where the images of the next stage need its place."""
    if torch_packages.FOLDER.is_dir() and shutil.disk_usage(torch_packages.FOLDER).free < IMAGE_WITH_TORCH:
        print(f"\n=== removing {torch_packages.FOLDER}: the disk has too little room for it and an image", flush=True)
        shutil.rmtree(torch_packages.FOLDER)


def main() -> int:
    """Run the stages to the end, whatever fails on the way; 0 only if all of them passed."""
    was_up = stack.is_up()
    failed = []
    try:
        for stage in STAGES:
            began = time.monotonic()
            if stage.name == "end to end":
                make_room()
            print(f"\n=== {stage.name}: {' '.join(stage.command)}", flush=True)
            status = subprocess.run(stage.command, check=False).returncode
            print(
                f"=== {stage.name}: {'passed' if status == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s",
                flush=True,
            )
            if status:
                failed.append(stage.name)
    finally:
        if not was_up:
            stack.down()
    print(f"{len(STAGES) - len(failed)} passed, {len(failed)} failed", flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)}. Each stage runs alone: see the README.", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
