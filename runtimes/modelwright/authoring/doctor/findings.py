"""What the doctor finds, and the rules by which it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.authoring.doctor.project import Project


class Severity(StrEnum):
    """An error fails somewhere that it is meant to run; a warning may."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes `start` to `end` of a file give way to `text`."""

    path: Path
    start: int
    end: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule found something; `edits` mend it, all of them together, where that is mechanical."""

    path: Path
    line: int
    what: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One trap: `why` it matters, the `remedy`, and how it is found."""

    code: str
    severity: Severity
    why: str
    remedy: str
    find: Callable[[Project], Iterator[Hit]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule, and where it found something."""

    rule: Rule
    hit: Hit
