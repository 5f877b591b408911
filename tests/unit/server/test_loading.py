from __future__ import annotations

import pytest
from modelwright.model import Model
from modelwright.server.loading import LoadFailed, give_up, load
from modelwright.server.workers.supervisor import next_wait


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
    assert message.read_text().startswith("Traceback")
    assert message.read_text().endswith("ValueError: cut short\nmodelwright: model 'm' did not load\n")


def test_a_long_story_keeps_its_end(tmp_path):
    message = tmp_path / "termination-log"
    message.touch()
    with pytest.raises(SystemExit):
        give_up(LoadFailed("x" * 5000 + " the end"), message)
    assert message.read_text().endswith("x the end\n")
    assert message.stat().st_size == 4096


async def test_the_traceback_begins_where_the_author_s_code_does(tmp_path):
    def authors_load():
        raise ValueError("cut short")

    class Broken(Model):
        name = "m"

        async def load(self) -> None:
            authors_load()

    message = tmp_path / "termination-log"
    message.touch()
    with pytest.raises(LoadFailed) as failed:
        await load([Broken()], lambda _name, _seconds: None)
    with pytest.raises(SystemExit):
        give_up(failed.value, message)
    frames = [line for line in message.read_text().splitlines() if line.lstrip().startswith("File")]
    assert len(frames) == 2
    assert "authors_load" in frames[1]


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
