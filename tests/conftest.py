"""Options of the whole test suite; pytest registers options only here."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite tests/unit/operator/desired/golden from what the operator renders now; review the diff",
    )
