"""A Python command run by the interpreter that is already here, instead of a second one: it starts sooner by that much.

This is what runpy is for, and what pdb, cProfile and coverage do. Everything that the standard library cannot do just
as a fresh interpreter would is left to one.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
from collections.abc import Mapping, Sequence

_SCRIPT = ".py"


def can_run(words: Sequence[str]) -> bool:
    """Tell whether the command is `python -m MODULE ...` or `python FILE.py ...` with this very interpreter."""
    if sys.flags.safe_path or sys.flags.isolated or sys.flags.no_site or words[:1] != [sys.executable]:
        return False
    match words[1:]:
        case ["-m", module, *_]:
            return module.replace(".", "").isidentifier()
        case [script, *_]:
            return script.endswith(_SCRIPT) and os.path.isfile(script)  # noqa: PTH113 - pathlib takes long to import
    return False


def run(words: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Run a command that `can_run` is true of until it ends; False, before anything, where its module is not found."""
    # Other commands do without them.
    from modelwright.styles import substitutes  # noqa: PLC0415
    from modelwright.styles.kserve import hook  # noqa: PLC0415

    os.environ.update(environment)
    search = [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if folder]
    module = words[2] if words[1] == "-m" else None
    first = os.getcwd() if module else os.path.dirname(os.path.abspath(words[1]))  # noqa: PTH100, PTH109, PTH120
    sys.path[:] = [first, *search, *(folder for folder in sys.path[1:] if folder not in search)]
    hook.install()
    substitutes.install()
    if module is None:
        sys.argv[:] = words[1:]
        runpy.run_path(words[1], run_name="__main__")
        return True
    try:
        found = importlib.util.find_spec(module)
    except ImportError:
        found = None
    if found is None:
        return False
    sys.argv[:] = ["-m", *words[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return True
