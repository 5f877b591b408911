"""What the tests of sources share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.sources.registry_server import FakeRegistry, serving


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with serving() as found:
        yield found
