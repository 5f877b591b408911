"""Lists of strings, and single ones in their place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from modelwright.styles.mlserver.foreign import Foreign

ListElement: TypeAlias = bytes | str


def is_list_of(payload: Foreign, instance_type: type) -> bool:
    """Say whether a payload is a list of nothing else."""
    return isinstance(payload, list) and all(isinstance(each, instance_type) for each in payload)


def as_list(payload: Foreign) -> Iterator[ListElement]:
    """Yield the elements; what is no list is the only one."""
    if isinstance(payload, list):
        yield from payload
    else:
        yield payload
