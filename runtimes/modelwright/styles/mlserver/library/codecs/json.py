"""JSON in the elements of a BYTES tensor, and of whole documents."""

from __future__ import annotations

import json

import numpy as np

from modelwright.styles.mlserver.foreign import Foreign
from modelwright.styles.mlserver.library.codecs.lists import as_list
from modelwright.styles.mlserver.library.codecs.utils import InputOrOutput


class JSONEncoderWithArray(json.JSONEncoder):
    """Writes numpy's arrays and numbers too."""

    def default(self, o: Foreign) -> Foreign:
        """Return what a numpy object is written as."""
        return o.tolist() if isinstance(o, np.ndarray | np.generic) else super().default(o)


def encode_to_json(v: Foreign, use_bytes: bool = True) -> str | bytes:
    """Return a value as JSON without spaces."""
    written = json.dumps(v, ensure_ascii=False, allow_nan=False, separators=(",", ":"), cls=JSONEncoderWithArray)
    return written.encode() if use_bytes else written


def encode_to_json_bytes(v: Foreign) -> bytes:
    """Return a document as JSON; bytes in it must be text."""
    import orjson  # noqa: PLC0415 - few authors write JSON themselves

    return orjson.dumps(v, default=_text)


def decode_from_bytelike_json_to_dict(v: bytes | str) -> Foreign:
    """Return a JSON document's value."""
    return json.loads(v)


def decode_json_input_or_output(input_or_output: InputOrOutput) -> list[Foreign]:
    """Return the values of a tensor whose elements are JSON."""
    return [json.loads(each) for each in as_list(input_or_output.data.root)]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"{type(value).__name__} has no JSON form")
