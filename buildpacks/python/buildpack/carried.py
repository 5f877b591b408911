"""What the buildpack borrows of the server's wheel: how styles are told apart, conda's names, which files are weights.

It is imported out of the wheel, so that the verbs, the doctor and the image agree without a second copy.
"""

import sys

from .context import Context
from .errors import server_missing

FOLDER = "server"
"""The buildpack's folder that `make builder` lays wheel and requirements into."""
LIBRARY = "library"
"""In that folder: PyYAML, which conda's files need and the build image does not have."""


def enter(context: Context) -> None:
    """Make `modelwright` importable in this process. The author's folder is not on the path, here or anywhere."""
    folder = context.buildpack / FOLDER
    wheels = sorted(folder.glob("modelwright-*.whl"))
    if len(wheels) != 1:
        raise server_missing()
    sys.path[:0] = [str(path) for path in (wheels[0], folder / LIBRARY) if str(path) not in sys.path]
