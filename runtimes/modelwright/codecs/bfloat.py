"""BF16, which numpy does not have: the upper half of a float32."""

import numpy as np

from modelwright.tensors import Array


def to_bfloat(values: Array) -> Array:
    """Return float32 values as the 16 bits of the nearest BF16, ties to even; NaN stays NaN."""
    bits = np.ascontiguousarray(values, "<f4").view("<u4")
    rounded = ((bits.astype(np.uint64) + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
    # Rounding could carry a NaN's payload into infinity: keep its upper half, and make it quiet.
    return np.where(np.isnan(values), (bits >> 16).astype("<u2") | np.uint16(0x40), rounded).astype("<u2")


def from_bfloat(bits: Array) -> Array:
    """Return 16-bit BF16 values as float32, exactly."""
    return (bits.astype("<u4") << 16).view("<f4")


def round_to_bfloat(values: Array) -> Array:
    """Return float32 values rounded to what BF16 can hold."""
    return from_bfloat(to_bfloat(values))
