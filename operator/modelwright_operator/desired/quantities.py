"""Kubernetes quantities ("500m", "2Gi"): comparing them, and writing them as the API server will.

The API server stores a quantity in canonical form ("1000m" comes back as "1"). What is applied must be in
that form already, or every comparison with the live object would find a difference. Source:
k8s.io/apimachinery/pkg/api/resource/quantity.go, `CanonicalizeBytes`.
"""

import re
from decimal import ROUND_CEILING, Decimal

_FORM = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))([eE][+-]?\d+|Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|)$")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_NANO = Decimal(10) ** -9


class InvalidQuantityError(ValueError):
    """The text is not a Kubernetes quantity."""


def _parse(text: str) -> tuple[Decimal, str]:
    match = _FORM.match(text.strip())
    if match is None:
        raise InvalidQuantityError(f"{text!r} is not a quantity such as 500m, 2 or 1.5Gi")
    number, suffix = Decimal(match[1]), match[2]
    if suffix in _BINARY:
        value = number * Decimal(1024) ** _BINARY[suffix]
    elif suffix in _DECIMAL:
        value = number * Decimal(1000) ** _DECIMAL[suffix]
    else:
        value = number.scaleb(int(suffix[1:]))
    # Finer than a billionth is rounded away from zero, as the API server does.
    rounded = abs(value).quantize(_NANO, rounding=ROUND_CEILING) if value % _NANO else abs(value)
    return rounded.copy_sign(value), suffix


def value_of(text: str | float) -> Decimal:
    """Return the number that a quantity means; raises `InvalidQuantityError`."""
    return _parse(str(text))[0]


def canonical(quantity: str | float) -> str:
    """Return the quantity in the form in which the API server stores it; raises `InvalidQuantityError`."""
    value, suffix = _parse(str(quantity))
    if value == 0:
        return "0"
    if suffix in _BINARY and abs(value) >= 1024 and value == value.to_integral_value():
        return _shortest(value, 1024, list(_BINARY), first=1)
    if suffix[:1] in ("e", "E") and suffix not in _DECIMAL:
        return _exponent(value)
    return _shortest(value, 1000, list(_DECIMAL), first=-3)


def _shortest(value: Decimal, base: int, suffixes: list[str], first: int) -> str:
    """Write a value as a whole number with the largest suffix that keeps it whole."""
    best = f"{value:f}"
    for power, suffix in enumerate(suffixes, start=first):
        scaled = value / Decimal(base) ** power
        if scaled == scaled.to_integral_value():
            best = f"{scaled:.0f}{suffix}"
    return best.rstrip(".")


def _exponent(value: Decimal) -> str:
    """Write a value as a whole number and a power of ten that is a multiple of three, as `1e6`."""
    power = -9
    while value == (value / Decimal(10) ** (power + 3)).to_integral_value() * Decimal(10) ** (power + 3):
        power += 3
    digits = f"{value / Decimal(10) ** power:.0f}"
    return digits if power == 0 else f"{digits}e{power}"
