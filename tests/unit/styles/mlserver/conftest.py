from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.styles.mlserver.authors import imports


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path) -> Iterator[None]:
    """Authors' modules are of one test only, and `.env` is looked for in an empty folder."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    with imports():
        yield
