"""`python -m modelwright`: the same verbs as the `modelwright` command."""

import sys

from modelwright.cli import main

if __name__ == "__main__":
    sys.exit(main())
