"""Dispatch from the two shell scripts: `python3 -m buildpack detect|build` with the arguments of the Buildpack API."""

import os
import sys

from . import log
from .context import Context
from .errors import BuildpackError


def main(argv: list[str]) -> int:
    """Run one phase and return its exit status: 0 done, 100 not ours (detect), 1 an error that was explained."""
    phase, positional = argv[0], argv[1:]
    # Detection runs in every build and needs a tenth of what building imports.
    if phase == "detect":
        from .detect import run  # noqa: PLC0415
    else:
        from .build import run  # noqa: PLC0415
    try:
        return run(Context.read(phase, positional, os.environ))
    except BuildpackError as error:
        log.error(error)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
