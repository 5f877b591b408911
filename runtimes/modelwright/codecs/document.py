"""A V2 JSON document, read with simdjson so that the numbers of tensors never become Python objects.

simdjson builds no Python object until one is asked for, and copies an array of numbers straight into a buffer
(``Array.as_buffer``). What it refuses goes to orjson, which either says where the JSON is wrong, or accepts what
simdjson does not (integers of more than 64 bits). Small documents go to orjson at once: there simdjson's proxies cost
more than the few numbers that they save.
"""

from __future__ import annotations

from typing import Any, Final

import orjson
import simdjson

from modelwright.codecs.describe import describe, quote
from modelwright.errors import InvalidInput

# pysimdjson's `as_list` believes a length that simdjson saturates at 2**24 - 1 and writes past the end of longer
# lists. No array in a document of this size can be longer.
_SIMDJSON_BYTES: Final = 32 * 1024 * 1024
MAX_TENSORS: Final = 16384
# Up to here, a few dozen numbers, Python objects are the cheaper way.
_SMALL: Final = 1024

_TENSOR_FIELDS: Final = frozenset({"name", "shape", "datatype", "data", "parameters"})
_PLAIN_FIELDS: Final = frozenset({"id", "parameters", "model_name", "model_version"})


class Document:
    """A document's fields, and its tensors' fields with ``data`` as simdjson's array or as a list.

    ``brackets`` is how many ``[`` the text holds: the most arrays that there can be in it. None where every
    ``data`` is a list.
    """

    def __init__(self, fields: dict[str, Any], tensors: list[dict[str, Any]], brackets: int | None) -> None:
        self.fields = fields
        self.tensors = tensors
        self.brackets = brackets


def read_document(text: bytes | memoryview, tensors: str) -> Document:
    """Read a document whose tensors are in the field `tensors` ("inputs" or "outputs").

    Raises InvalidInput where it is no JSON object, lacks the field, or names a field twice.
    """
    text = bytes(text)
    if len(text) <= _SMALL:
        small = _with_orjson(text, tensors)
        if text.count(b":") == _count_fields(small):
            return small
    if len(text) <= _SIMDJSON_BYTES:
        try:
            root = simdjson.Parser().parse(text)
        except (ValueError, RuntimeError):
            return _with_orjson(text, tensors)
        return _with_simdjson(root, text.count(b"["), tensors)
    return _with_orjson(text, tensors)


def parse_json(text: bytes | memoryview) -> object:
    """Return a JSON text as Python objects. Raises InvalidInput with the place of what is wrong in it."""
    if not text:
        raise InvalidInput("the body is empty; a JSON object was expected")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"the body is not valid JSON: {error}") from None


def _with_simdjson(root: object, brackets: int, tensors: str) -> Document:
    if not isinstance(root, simdjson.Object):
        raise _not_an_object(root)
    fields = _members("the body", root, _PLAIN_FIELDS | {"outputs", tensors}, lazy=tensors)
    value = fields.pop(tensors, None)
    if not isinstance(value, simdjson.Array):
        raise _no_tensors(tensors, value)
    found: list[dict[str, Any]] = []
    for index, item in enumerate(value):
        _check_many(tensors, index)
        if not isinstance(item, simdjson.Object):
            raise InvalidInput(f"{tensors}[{index}] must be an object, not {describe(item)}")
        found.append(_members(f"{tensors}[{index}]", item, _TENSOR_FIELDS, lazy="data"))
    return Document(fields, found, brackets)


def _members(where: str, item: simdjson.Object, wanted: frozenset[str], *, lazy: str) -> dict[str, Any]:
    """Return the wanted fields, all but the lazy one as Python objects."""
    # `get` on a missing field costs a C++ exception, and each look-up a walk: only what is there is looked up.
    keys = [key for key in item if key in wanted]
    if len(keys) != len(set(keys)):
        twice = next(key for index, key in enumerate(keys) if key in keys[:index])
        raise InvalidInput(f"{where} has the field {quote(twice)} twice")
    return {key: item[key] if key == lazy else _plain(item[key]) for key in keys}


def _plain(value: object) -> object:
    if isinstance(value, simdjson.Array):
        return value.as_list()
    return value.as_dict() if isinstance(value, simdjson.Object) else value


def _with_orjson(text: bytes, tensors: str) -> Document:
    root = parse_json(text)
    if not isinstance(root, dict):
        raise _not_an_object(root)
    value = root.pop(tensors, None)
    if not isinstance(value, list):
        raise _no_tensors(tensors, value)
    _check_many(tensors, len(value) - 1)
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise InvalidInput(f"{tensors}[{index}] must be an object, not {describe(item)}")
    return Document(root, value, None)


def _count_fields(document: Document) -> int:
    """Return how many fields orjson kept: where the text has more colons, one may have been there twice.

    The other reason for more is a colon in a string, or fields deeper than those of tensors; then simdjson looks.
    """
    # The field of the tensors has been taken out.
    count = 1 + len(document.fields)
    for tensor in document.tensors:
        count += len(tensor)
    return count


def _check_many(tensors: str, index: int) -> None:
    if index >= MAX_TENSORS:
        raise InvalidInput(f"{tensors!r} holds more than {MAX_TENSORS} tensors")


def _not_an_object(root: object) -> InvalidInput:
    return InvalidInput(f"the body must be a JSON object, not {describe(root)}")


def _no_tensors(tensors: str, value: object) -> InvalidInput:
    if value is None:
        return InvalidInput(f"the body has no {tensors!r}; a list of tensors was expected")
    return InvalidInput(f"{tensors!r} must be a list of tensors, not {describe(value)}")
