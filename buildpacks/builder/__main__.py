"""`python -m buildpacks.builder`: make the builder, or say that it is there."""

import sys

from ..engine import EXPLAINED
from .create import builder


def main() -> int:
    """Print the builder's reference; on failure print why and return 1."""
    try:
        print(builder())
    except EXPLAINED as error:
        print(f"builder: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
