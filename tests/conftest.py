"""Options of the whole test suite; pytest registers options only here."""

import hypothesis
import pytest

# Everywhere the examples that CI draws, so that a result depends on the code alone; `--hypothesis-profile=default`
# draws new ones.
hypothesis.settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite tests/unit/operator/desired/golden from what the operator renders now; review the diff",
    )
