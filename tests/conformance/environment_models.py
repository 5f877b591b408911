"""A model in an environment of its own: `python -m tests.conformance.environment_models KIND SOURCE [server flags]`."""

from __future__ import annotations

import sys
from pathlib import Path

from modelwright import environments
from modelwright.server import run
from modelwright.server.arguments import parse
from modelwright.styles.catalogue import Wanted

DESCRIBED = {
    "packages": lambda text: environments.from_packages(text.split(",")),
    "file": lambda text: environments.from_file(Path(text)),
    "folder": lambda text: environments.from_folder(Path(text)),
}
LOADERS = Path(__file__).with_name("environment_loaders")


def main(kind: str, source: str, class_name: str) -> None:
    wanted = Wanted(LOADERS / "roman.py", class_name, "roman")
    run([environments.in_environment(DESCRIBED[kind](source), "infosys", wanted)], parse())


if __name__ == "__main__":
    main(*sys.argv[-1].split("|"))
