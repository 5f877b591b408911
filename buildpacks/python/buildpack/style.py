"""What a folder is written in and what it serves: told from its files, for a start without Procfile and for labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import carried
from .context import Context
from .errors import style_unknown


@dataclass(frozen=True)
class Style:
    """A style by its name, what it was told by, and the models' names with their versions."""

    name: str
    told_by: str
    models: Mapping[str, str] = field(default_factory=dict)


def find(context: Context) -> Style | None:
    """Tell the style, or return None where the files show none or several: the Procfile then decides alone."""
    carried.enter(context)
    from modelwright.styles import detect, names  # noqa: PLC0415 - importable from here on

    try:
        evidence = detect.detect(context.app)
    except detect.UnknownStyle:
        return None
    return Style(evidence.style, evidence.what, names.named(context.app, evidence.style))


def choose(context: Context) -> Style:
    """Tell the style that is to be served without Procfile. Raises where that is not one that can be started."""
    carried.enter(context)
    from modelwright.cli import choice, errors, target  # noqa: PLC0415 - importable from here on

    try:
        choice.choose(target.Target(context.app), None)
    except errors.CommandError as error:
        raise style_unknown(str(error).replace(f"{context.app}/", "").replace(str(context.app), "The folder")) from None
    found = find(context)
    assert found is not None  # noqa: S101 - `choose` raises where it is None
    return found
