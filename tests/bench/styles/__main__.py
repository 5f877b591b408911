"""`python -m tests.bench.styles`: what the styles cost, each figure beside what it has to be."""

from __future__ import annotations

import os
import sys

# Before numpy: one replica of the first is to be one core's work, as each of two is.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

from tests.bench.serving import load
from tests.bench.styles import adapters, nos

# An adapter keeps this share of the rate of the same model by hand; MLServer's style this many times MLServer's.
_SHARE, _TIMES = 0.85, 4.5


def main() -> int:
    """Print a line a figure; the exit status tells whether every target is met."""
    load.require_wrk()
    met = [*_adapters(), *_submit()]
    return 0 if all(met) else 1


def _adapters() -> list[bool]:
    rates = adapters.rates()
    hand, genuine = rates.pop(adapters.HAND), rates.pop("MLServer")
    print(f"V2 JSON [1,4], c=32: by hand {hand:.0f}/s, MLServer {genuine:.0f}/s")
    met = [
        _said(f"{style} adapter", rate / hand, f"{rate:.0f}/s, {rate / hand:.2f} of by hand", _SHARE)
        for style, rate in rates.items()
    ]
    times = rates["mlserver"] / genuine
    return [*met, _said("MLServer's style", times, f"{times:.1f} x MLServer", _TIMES)]


def _submit() -> list[bool]:
    met = []
    for kind in (nos.Computing, nos.Waiting):
        rates = nos.submit(kind)
        faster = rates[2] / rates[1]
        told = f"{rates[1]:.0f}/s on 1 replica, {rates[2]:.0f}/s on 2: {faster:.2f} x"
        met.append(_said(f"NOS submit, {kind.__name__.lower()}", faster, told, 1.0))
    return met


def _said(name: str, figure: float, told: str, target: float) -> bool:
    met = figure > target
    print(f"{'met' if met else 'MISSED':<9}{name}: {told}, more than {target:g}")
    return met


if __name__ == "__main__":
    sys.exit(main())
