"""The S3 server's keys: random, kept, and not shown by accident."""

from __future__ import annotations

import stat
from pathlib import Path

from cluster.native.s3 import S3, account


def test_keys_are_made_once_for_each_state_folder(tmp_path: Path) -> None:
    first, second = account(tmp_path / "a" / "keys.json"), account(tmp_path / "b" / "keys.json")
    assert first != second
    assert account(tmp_path / "a" / "keys.json") == first
    assert stat.S_IMODE((tmp_path / "a" / "keys.json").stat().st_mode) == 0o600


def test_a_secret_is_printed_only_where_it_is_asked_for() -> None:
    server = S3(endpoint="http://10.244.0.1:9000", access_key_id="id", secret_access_key="very-secret")
    assert "very-secret" not in f"{server} {server!r}"
    assert server.to_json()["secretAccessKey"] == "very-secret"
