"""What somebody gives to be asked: JSON or an image, from a file, stdin or the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from modelwright.authoring.asking import documents, picture
from modelwright.authoring.errors import Mistake

_LINES: Final = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON value; `source` is where it is from."""

    source: str
    value: Any


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a PNG or a JPEG."""

    source: str
    content: bytes


Given = Document | Picture


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer's body."""

    body: bytes
    content_type: str


def from_text(text: bytes, source: str) -> Iterator[Given]:
    """Yield the one document or image; raises Mistake."""
    if picture.is_picture(text):
        yield Picture(source, text)
    else:
        yield Document(source, documents.parse(text, source))


def from_file(path: Path) -> Iterator[Given]:
    """Yield what a file holds: a document or an image, or of a .jsonl one document a line; raises Mistake."""
    content = picture.content_of(path)
    if path.suffix.lower() not in _LINES:
        yield from from_text(content, str(path))
        return
    numbered = [(number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip()]
    if not numbered:
        raise Mistake(f"{path} is empty: expected one JSON request a line")
    for number, line in numbered:
        yield Document(f"{path}:{number}", documents.parse(line, f"{path}:{number}"))
