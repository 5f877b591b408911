"""Ids for requests and answers that nobody has named."""

from __future__ import annotations

import os
from typing import Final

# Ids to come. What a worker's parent had left is not the worker's, nor another worker's.
_SPARE: Final[list[str]] = []
_AT_ONCE: Final = 64
os.register_at_fork(after_in_child=_SPARE.clear)
_VARIANTS: Final = {digit: "89ab"[index % 4] for index, digit in enumerate("0123456789abcdef")}


def random_uuid() -> str:
    """Return a new random id: version 4 and variant of RFC 9562.

    As `uuid.uuid4` makes it, whose objects cost more than the rest of a small answer.
    """
    try:
        return _SPARE.pop()
    except IndexError:
        made = _several()
        spare = made.pop()
        _SPARE.extend(made)
        return spare


def _several() -> list[str]:
    # Many at a time, for one question to the system. Not Python's generator: an author may seed it, in each pod alike.
    digits = os.urandom(16 * _AT_ONCE).hex()
    made = []
    for at in range(0, len(digits), 32):
        variant = _VARIANTS[digits[at + 16]]
        made.append(
            f"{digits[at : at + 8]}-{digits[at + 8 : at + 12]}-4{digits[at + 13 : at + 16]}-"
            f"{variant}{digits[at + 17 : at + 20]}-{digits[at + 20 : at + 32]}"
        )
    return made
