"""What the buildpack borrows of the server's wheel: how styles are told apart, conda's names, which files are weights.

It is the wheel's own code, so that the verbs, the doctor and the image agree; unpacked, since a build that imported it
out of the wheel would compile it each time.
"""

import sys
from pathlib import Path

from .context import Context
from .errors import server_missing

FOLDER = "server"
"""The buildpack's folder that `make builder` lays wheel and requirements into."""
LIBRARY = "library"
"""In that folder: the wheel of Python alone, unpacked, and PyYAML, which conda's files need and the image has not."""


def wheels(context: Context) -> tuple[Path, tuple[Path, ...]]:
    """Return the server's wheel of Python alone, and those compiled for one Python each."""
    found = sorted((context.buildpack / FOLDER).glob("modelwright-*.whl"))
    pure = [wheel for wheel in found if wheel.name.endswith("-none-any.whl")]
    if len(pure) != 1:
        raise server_missing()
    return pure[0], tuple(wheel for wheel in found if wheel not in pure)


def enter(context: Context) -> None:
    """Make `modelwright` importable in this process. The author's folder is not on the path, here or anywhere."""
    library = context.buildpack / FOLDER / LIBRARY
    if not (library / "modelwright").is_dir():
        raise server_missing()
    if str(library) not in sys.path:
        sys.path.insert(0, str(library))
