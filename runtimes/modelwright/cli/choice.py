"""How a target is to be served, told from its files alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modelwright.cli import procfile
from modelwright.cli.errors import CommandError
from modelwright.cli.target import Target, read
from modelwright.styles import detect
from modelwright.styles.source import Source, UnreadableSource

_MODEL_SERVER = ("kserve.ModelServer", "kserve.model_server.ModelServer")
_OVERRIDE = f"--style S chooses another ({', '.join(detect.SIGNS)})"


@dataclass(frozen=True, slots=True)
class Choice:
    """The command that serves, the folder to run it in (None: this one), and the line that says why it is that one."""

    words: list[str]
    folder: Path | None
    told: str
    named_by: str = "the command line"


def choose(target: Target, style: str | None) -> Choice:
    """Choose by a folder's Procfile, else by the style that was named, else by the one that the files show.

    Raises:
        CommandError: nothing fits, or more than one thing does.

    """
    folder = target.path if target.path is not None and target.path.is_dir() else None
    if style is None and folder is not None and (folder / "Procfile").is_file():
        web = procfile.read(folder).get("web")
        if web is not None:
            return _by_procfile(folder, web)
    return _by_style(target, style)


def _by_procfile(folder: Path, web: str) -> Choice:
    words = procfile.argv(web, os.environ)
    again = _served_again(words)
    if again is not None:
        style, text, flags = again
        inner = target_in(folder, text)
        # Its own Procfile is the one that led here.
        choice = _by_style(inner, style)
        return Choice([*choice.words, *flags], choice.folder, choice.told)
    told = f"{folder / 'Procfile'} has the web line '{web}'; {_OVERRIDE}, without it"
    return Choice(words, folder, told, "the Procfile")


def _served_again(words: Sequence[str]) -> tuple[str | None, str, list[str]] | None:
    """Give the style, target and flags of a web line that is `modelwright serve` itself; None for any other."""
    rest = list(words)
    if Path(rest[0]).name == "modelwright":
        rest = rest[1:]
    elif rest[1:3] == ["-m", "modelwright"]:
        rest = rest[3:]
    else:
        return None
    if rest[:1] != ["serve"]:
        return None
    style, text, flags = None, None, []
    words_left = iter(rest[1:])
    for word in words_left:
        if word == "--style":
            style = next(words_left, None)
        elif word.startswith("--style="):
            style = word.partition("=")[2]
        elif text is None and not word.startswith("-"):
            text = word
        else:
            flags.append(word)
    return style, text or ".", flags


def target_in(folder: Path, text: str) -> Target:
    """Read a target that was written for a folder's own use; see `target.read` for what is raised."""
    left, colon, class_name = text.partition(":")
    inside = folder / left
    return read(f"{inside}{colon}{class_name}") if inside.exists() else read(text)


def _by_style(target: Target, style: str | None) -> Choice:
    if style is not None and style not in detect.SIGNS:
        raise CommandError(f"--style '{style}' is none of {', '.join(detect.SIGNS)}")
    if target.path is None:
        if style not in {None, "kserve"}:
            raise CommandError(
                f"module '{target.module}' is no file below this folder: name its file, as FILE.py:Class"
            )
        return _direct(str(target.module), [str(target.class_name)], "a class by its module's name is kserve's")
    try:
        evidence = None if style else detect.detect(target.path)
    except (detect.UnknownStyle, UnreadableSource) as error:
        if target.module is not None:
            return _direct(target.module, [str(target.class_name)], "a class by its module's name is kserve's")
        hint = "; or write a Procfile with the line 'web: python -m model'" if target.path.is_dir() else ""
        raise CommandError(f"{error}{hint}") from None
    chosen = style or (evidence.style if evidence else "")
    why = f"{chosen} style, since {evidence.what}; {_OVERRIDE}" if evidence else f"{chosen} style, as --style says"
    if chosen == "kserve":
        return _kserve(target, why)
    return _styled(target, chosen, why)


def _styled(target: Target, style: str, why: str) -> Choice:
    named = f"{target.path}:{target.class_name}" if target.class_name else str(target.path)
    return Choice([sys.executable, "-m", "modelwright.cli.styled", style, named], None, why)


def _kserve(target: Target, why: str) -> Choice:
    """Run the file that starts a ModelServer as it is; without one, or where a class is named, serve classes."""
    assert target.path is not None  # noqa: S101
    if target.module is not None:
        return _direct(target.module, [str(target.class_name)], why)
    found = list(detect.sources(target.path))
    if target.class_name is None:
        starting = [each for each in found if each.calls.intersection(_MODEL_SERVER)]
        if len(starting) > 1:
            starting = [each for each in starting if each.path.name in {"__main__.py", "model.py"}] or starting
        if len(starting) > 1:
            names = ", ".join(str(each.path.relative_to(target.folder)) for each in starting)
            raise CommandError(f"{target} has several files that start a ModelServer ({names}): name the one to serve")
        if starting:
            entry, folder = starting[0].path, target.path if target.path.is_dir() else None
            shown = entry.relative_to(folder) if folder else entry
            return Choice([sys.executable, str(shown)], folder, f"{why}; {shown.name} starts the server itself")
    return _kserve_classes(target, found, why)


def _kserve_classes(target: Target, found: Sequence[Source], why: str) -> Choice:
    wanted = target.class_name
    # A class that was named may have its base from a module of the author's.
    classes = {
        source.path: [
            each.name
            for each in source.classes
            if (each.name == wanted if wanted is not None else _is_model(each.bases))
        ]
        for source in found
    }
    classes = {path: names for path, names in classes.items() if names}
    if not classes and wanted is not None:
        raise CommandError(f"{target.path} has no class '{wanted}'")
    if not classes:
        raise CommandError(f"{target} has neither a subclass of kserve.Model nor a file that starts a ModelServer")
    if len(classes) > 1:
        there = ", ".join(f"{path.name}:{name}" for path, names in classes.items() for name in names)
        raise CommandError(f"{target} has models in several files ({there}): name one as FILE.py:Class")
    ((path, names),) = classes.items()
    return _direct(str(path.resolve()), names, f"{why}; serving {', '.join(names)}")


def _is_model(bases: Sequence[str]) -> bool:
    return any(base.startswith("kserve.") and base.rpartition(".")[2] == "Model" for base in bases)


def _direct(module: str, names: Sequence[str], told: str) -> Choice:
    words = [sys.executable, "-m", "modelwright.cli.direct", f"{module}:{','.join(names)}"]
    return Choice(words, None, told)
