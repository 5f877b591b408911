"""V1 `:predict` bodies that may share one call of a model, as `batches` has it for V2."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

import numpy as np

from modelwright.model import Payload, V1Answer
from modelwright.server.batching.batches import Unsplittable, header_kind, is_plain, shared_headers

# What V1 hands to a model: the body and the headers.
Asked = tuple[Payload, Mapping[str, str]]

_FIELD = "instances"
# How deep instances are compared; what differs below is left to the model, and fails alone.
_DEPTH = 8


def count(asked: Asked) -> int:
    """Return how many instances a body has; 0 for bytes and for a body with other keys, which may speak of them all."""
    return len(_instances(asked))


def kind(asked: Asked) -> Hashable:
    """Return what bodies have to agree in to be merged: the form of their instances, and headers."""
    return _form(_instances(asked)[0]), header_kind(asked[1])


def merge(several: Sequence[Asked]) -> Asked:
    """Return one body with the instances of bodies of one `kind`, in their order."""
    return {_FIELD: list(chain.from_iterable(map(_instances, several)))}, shared_headers(
        [headers for _, headers in several]
    )


def split(answer: V1Answer, several: Sequence[Asked]) -> list[V1Answer]:
    """Return each body's own part of the answer to their `merge`.

    Raises Unsplittable for anything but a dict with `predictions`, one for each instance, whose other values are plain
    or have one item for each instance too.
    """
    counts = [count(asked) for asked in several]
    total = sum(counts)
    result = answer.result
    if not isinstance(result, dict) or not _has_rows(result.get("predictions"), total):
        raise Unsplittable(f"the answer has no {total} 'predictions' for {total} instances")
    for name, value in result.items():
        if not is_plain(value) and not _has_rows(value, total):
            raise Unsplittable(f"{name!r} of the answer is a {type(value).__name__} without {total} items")
    return [
        V1Answer(
            {name: value if is_plain(value) else value[end - rows : end] for name, value in result.items()},
            dict(answer.headers),
        )
        for rows, end in zip(counts, accumulate(counts), strict=True)
    ]


def _instances(asked: Asked) -> list[Any]:
    payload = asked[0]
    return payload[_FIELD] if isinstance(payload, dict) and payload.keys() == {_FIELD} else []


def _has_rows(value: object, total: int) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim > 0 and len(value) == total
    return isinstance(value, list | tuple) and len(value) == total


def _form(value: object, depth: int = _DEPTH) -> Hashable:
    """Return the nesting and kind of an instance, as its first elements show it."""
    if isinstance(value, list):
        return (len(value), _form(value[0], depth - 1)) if value and depth else len(value)
    if isinstance(value, dict):
        return tuple(sorted(value))
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
