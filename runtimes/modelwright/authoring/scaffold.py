"""A new project of a style, from the templates beside this file: it serves, is tested and can be built as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from modelwright.authoring.errors import Mistake

STYLES: Final = ("kserve", "mlserver", "nos", "nemo_curator", "infosys")
_TEMPLATES: Final = Path(__file__).with_name("templates")
_SUFFIX: Final = ".tmpl"
_EXPECTED: Final = "expected"
# As KServe has an InferenceService's name; 40, so that what is derived from it fits a DNS label.
_NAME: Final = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")

_IMPORTED: Final = frozenset(("Model", "ModelServer", "ModelSpec", "Path", "Dict", "Union", "Classifier"))


def files(style: str, name: str) -> Mapping[str, str]:
    """Give the project's files, by their names; a style's own template wins over the common one.

    Raises:
        Mistake: the name is none that a service can have.

    """
    if not _NAME.fullmatch(name):
        raise Mistake(
            f"{name!r} cannot name a service: small letters, digits and '-', a letter first, at most 40 of them"
        )
    paths = {
        path.name.removesuffix(_SUFFIX): path
        for folder in ("common", style)
        for path in sorted((_TEMPLATES / folder).glob(f"*{_SUFFIX}"))
    }
    texts = {file: path.read_text(encoding="utf-8") for file, path in paths.items()}
    filled = {"NAME": name, "CLASS": class_name(name), "STYLE": style, "EXPECTED": texts.pop(_EXPECTED).strip()}
    return {_file(file): _filled(text, filled) for file, text in texts.items()}


def class_name(name: str) -> str:
    """Give `my-model` as `MyModel`, and a name that the templates import with a word behind it."""
    joined = "".join(part.capitalize() for part in name.split("-") if part)
    return f"{joined}Served" if joined in _IMPORTED else joined


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the files into a folder that is not there yet, or is empty.

    Raises:
        Mistake: something is there already, or it cannot be written.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Mistake(f"{folder} is not empty, and nothing is overwritten: choose another name or --folder")
        for file, text in texts.items():
            # Whoever else writes here meanwhile is not overwritten either.
            with (folder / file).open("x", encoding="utf-8") as opened:
                opened.write(text)
    except OSError as error:
        raise Mistake(f"{folder} cannot be written: {error.strerror}") from None


def _file(template: str) -> str:
    return ".gitignore" if template == "gitignore" else template


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"@([A-Z]+)@", lambda match: values[match[1]], text)
