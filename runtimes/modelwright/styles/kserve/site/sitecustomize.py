"""Run by every Python that starts with this folder on PYTHONPATH: installs the import hooks, then does as before."""

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

try:
    from modelwright.styles import substitutes
    from modelwright.styles.kserve import hook
except ImportError as error:
    # Another interpreter than Modelwright's: its own kserve answers there.
    sys.stderr.write(
        f"modelwright: {sys.executable} cannot import modelwright ({error}); kserve stays as it is there\n"
    )
else:
    hook.install()
    substitutes.install()

# The machine's own sitecustomize, which this file hides.
_here = Path(__file__).parent.resolve()
_next = PathFinder.find_spec("sitecustomize", [entry for entry in sys.path if Path(entry).resolve() != _here])
if _next is not None and _next.loader is not None:
    _next.loader.exec_module(module_from_spec(_next))
