"""The model in each style, made as the server makes it of the author's file."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from modelwright.model import Model
from modelwright.styles import substitutes
from modelwright.styles.catalogue import Wanted, discovery
from modelwright.styles.kserve import hook

_BENCHES = Path(__file__).parents[1]
_SERVING, _STYLES = _BENCHES / "serving" / "models", _BENCHES / "styles" / "models"
# All are served under the name that the benches' path has.
NAME = "model"
HAND = "by hand"
STYLES = (HAND, "kserve", "mlserver", "nemo_curator", "nos")


def models(style: str) -> Sequence[Model]:
    """Return the models of a style's file, not loaded; the first is the one that is measured."""
    if style == HAND:
        sys.path.insert(0, str(_STYLES))
        return [importlib.import_module("hand").Sum()]
    if style == "kserve":
        return [_kserve()]
    file, kind = {
        "mlserver": (_SERVING / "mlserver_model.py", None),
        "nemo_curator": (_STYLES / "curator_model.py", None),
        "nos": (_STYLES / "nos_model.py", "Sum"),
    }[style]
    sys.path.insert(0, str(file.parent))
    substitutes.install()
    return discovery(style).discover(Wanted(file, kind, NAME)).models


def _kserve() -> Model:
    hook.install()
    sys.path.insert(0, str(_SERVING))
    made = importlib.import_module("model").Sum(NAME)
    # It imports the twins, which have to be kserve by then.
    from modelwright.styles.kserve.adapter import KServeModel

    return KServeModel(made, NAME)


def input_name(style: str) -> str:
    """Return what the input is called: NOS's have the names of Python's parameters."""
    return "x" if style == "nos" else "input-0"
