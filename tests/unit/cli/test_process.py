"""The environment that an author's command gets."""

from __future__ import annotations

import pytest
from modelwright.cli.process import hooked


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, "0"),
        ({"RAY_ADDRESS": "local"}, "0"),
        ({"RAY_ADDRESS": "ray://head:10001"}, None),
        ({"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "1"}, "1"),
    ],
)
def test_rays_own_workers_run_in_this_interpreter_also_under_uv(given: dict[str, str], found: str | None) -> None:
    assert hooked(given).get("RAY_ENABLE_UV_RUN_RUNTIME_ENV") == found
