"""kserve.utils.numpy_codec: V2 datatypes and numpy's."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from modelwright.styles.kserve.foreign import Foreign

_TYPES: Final[dict[str, Any]] = {
    "BOOL": bool,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BYTES": np.object_,
}
_NAMES: Final = {np.dtype(kind): name for name, kind in _TYPES.items()}


def to_np_dtype(dtype: str) -> Foreign:
    """Return numpy's type for a V2 datatype, None where there is none."""
    return _TYPES.get(dtype)


def from_np_dtype(np_dtype: Foreign) -> str | None:
    """Return the V2 datatype of a numpy type, None where there is none; text, bytes and dates are BYTES."""
    try:
        known = _NAMES.get(np_dtype)
    except TypeError:
        # A list of fields, which is no key.
        known = None
    if known is not None:
        return known
    dtype = np.dtype(np_dtype)
    return _NAMES.get(dtype) or _NAMES.get(dtype.newbyteorder("=")) or ("BYTES" if dtype.kind in "OSUM" else None)
