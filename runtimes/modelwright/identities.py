"""Ids for requests and answers that nobody has named."""

from __future__ import annotations

import os
from typing import Final

import numpy as np

# Ids to come. What a worker's parent had left is not the worker's, nor another worker's.
_SPARE: Final[list[str]] = []
_AT_ONCE: Final = 256
_LENGTH: Final = 36
_DASH: Final = 45
os.register_at_fork(after_in_child=_SPARE.clear)


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
    octets = np.frombuffer(bytearray(os.urandom(16 * _AT_ONCE)), np.uint8).reshape(_AT_ONCE, 16)
    octets[:, 6] = octets[:, 6] & 0x0F | 0x40
    octets[:, 8] = octets[:, 8] & 0x3F | 0x80
    digits = np.frombuffer(octets.tobytes().hex().encode(), np.uint8).reshape(_AT_ONCE, 32)
    written = np.full((_AT_ONCE, _LENGTH), _DASH, np.uint8)
    begin = at = 0
    for length in (8, 4, 4, 4, 12):
        written[:, at : at + length] = digits[:, begin : begin + length]
        begin, at = begin + length, at + length + 1
    text: str = written.tobytes().decode()
    return [text[at : at + _LENGTH] for at in range(0, len(text), _LENGTH)]
