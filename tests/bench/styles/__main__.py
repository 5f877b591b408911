"""`python -m tests.bench.styles`: what the styles cost, each figure beside what it has to be."""

from __future__ import annotations

import sys

from tests.bench.styles import nos


def main() -> int:
    """Print a line a figure; the exit status tells whether every target is met."""
    rates = nos.submit()
    faster = rates["2 replicas"] / rates["1 replicas"]
    figures = ", ".join(f"{rate:.0f}/s on {replicas}" for replicas, rate in rates.items())
    met = faster > 1
    print(f"{'met' if met else 'MISSED':<9}NOS submit: {figures}; {faster:.2f} x of one replica's, more than 1")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
