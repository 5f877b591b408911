from __future__ import annotations

import pytest
from modelwright.server.loading import LoadFailed, give_up
from modelwright.server.workers import next_wait


def failure() -> LoadFailed:
    try:
        try:
            raise ValueError("cut short")
        except ValueError as error:
            raise LoadFailed("model 'm' did not load") from error
    except LoadFailed as failed:
        return failed


def test_the_reason_goes_to_stderr_and_into_the_termination_message(tmp_path, capsys):
    message = tmp_path / "termination-log"
    message.touch()
    with pytest.raises(SystemExit) as left:
        give_up(failure(), message)
    assert left.value.code == 1
    assert "ValueError: cut short" in capsys.readouterr().err
    assert message.read_text().startswith("model 'm' did not load\nTraceback")


def test_no_termination_message_is_left_where_kubernetes_is_not(tmp_path):
    with pytest.raises(SystemExit):
        give_up(failure(), tmp_path / "termination-log")
    assert not list(tmp_path.iterdir())


def test_replacements_wait_longer_each_time_a_worker_dies_young():
    waits = [0.0]
    for _ in range(12):
        waits.append(next_wait(waits[-1], 0.5))
    assert waits[1] == 0.1
    assert waits == sorted(waits)
    assert waits[-1] == 30
    assert next_wait(30, 3600) == 0
