"""`python -m tests.bench.styles`: what the styles cost, each figure beside what it has to be."""

from __future__ import annotations

import os
import sys

# Before numpy: one replica of the first is to be one core's work, as each of two is.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

from tests.bench.styles import nos


def main() -> int:
    """Print a line a figure; the exit status tells whether every target is met."""
    every = True
    for kind in (nos.Computing, nos.Waiting):
        rates = nos.submit(kind)
        faster = rates[2] / rates[1]
        met = faster > 1
        every = every and met
        said = f"{rates[1]:.0f}/s on 1 replica, {rates[2]:.0f}/s on 2: {faster:.2f} x, more than 1"
        print(f"{'met' if met else 'MISSED':<9}NOS submit, {kind.__name__.lower()}: {said}")
    return 0 if every else 1


if __name__ == "__main__":
    sys.exit(main())
