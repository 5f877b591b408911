"""Real processes: started apart from this one, adopted, replaced, stopped, and never mistaken for another."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.native.processes import (
    Command,
    Running,
    Supervisor,
    descendants,
    marked,
    stop_process,
    wait_gone,
)

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    found = Supervisor(tmp_path / "state")
    yield found
    for process in list(marked(found.folder)):
        stop_process(process, grace=0.0)


def sleeper(seconds: str = "60", **more: object) -> Command:
    return Command(name="sleeper", argv=("sleep", seconds), **more)  # type: ignore[arg-type]


def running(supervisor: Supervisor, name: str = "sleeper") -> Running:
    process = supervisor.running(name)
    assert process is not None
    return process


def test_a_process_leads_a_session_of_its_own_and_writes_into_its_log(supervisor: Supervisor) -> None:
    supervisor.ensure(Command(name="talker", argv=("sh", "-c", "echo hello; exec sleep 60")))
    process = running(supervisor, "talker")
    assert os.getsid(process.pid) == process.pid
    deadline = time.monotonic() + 5
    while "hello" not in supervisor.log_tail("talker") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert supervisor.log_tail("talker") == "hello"


def test_what_runs_already_is_adopted_by_another_supervisor(supervisor: Supervisor) -> None:
    assert supervisor.ensure(sleeper())
    first = running(supervisor)
    other = Supervisor(supervisor.folder)
    assert not other.ensure(sleeper())
    assert running(other) == first


def test_another_argument_restarts_the_process(supervisor: Supervisor) -> None:
    supervisor.ensure(sleeper("60"))
    first = running(supervisor)
    assert supervisor.ensure(sleeper("61"))
    assert not first.alive()
    assert running(supervisor) != first


def test_another_content_of_an_input_restarts_the_process(supervisor: Supervisor, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("a")
    supervisor.ensure(sleeper(inputs=(config,)))
    assert not supervisor.ensure(sleeper(inputs=(config,)))
    config.write_text("b")
    assert supervisor.ensure(sleeper(inputs=(config,)))


def test_the_same_program_under_another_path_is_no_reason_to_restart(supervisor: Supervisor, tmp_path: Path) -> None:
    program = tmp_path / "a" / "sleep"
    program.parent.mkdir()
    program.write_bytes(Path("/bin/sleep").read_bytes())
    program.chmod(0o755)
    linked = tmp_path / "b"
    linked.hardlink_to(program)
    supervisor.ensure(Command(name="sleeper", argv=(str(program), "60")))
    assert not supervisor.ensure(Command(name="sleeper", argv=(str(linked), "60")))


def test_a_process_that_died_is_started_again(supervisor: Supervisor) -> None:
    supervisor.ensure(sleeper())
    process = running(supervisor)
    os.kill(process.pid, signal.SIGKILL)
    assert wait_gone([process], timeout=5) == []
    assert supervisor.running("sleeper") is None
    assert supervisor.ensure(sleeper())


@pytest.mark.parametrize("field", ["started", "boot"])
def test_a_recycled_pid_is_neither_adopted_nor_killed(supervisor: Supervisor, field: str) -> None:
    supervisor.ensure(sleeper())
    stranger = running(supervisor)
    file = supervisor.folder / "run" / "sleeper.json"
    record = json.loads(file.read_text())
    record[field] = {"started": record["started"] - 1, "boot": "another"}[field]
    file.write_text(json.dumps(record))
    assert supervisor.running("sleeper") is None
    supervisor.stop("sleeper")
    assert stranger.alive()


def test_a_pid_file_cut_short_counts_as_none(supervisor: Supervisor) -> None:
    supervisor.ensure(sleeper())
    (supervisor.folder / "run" / "sleeper.json").write_text('{"pid": 1')
    assert supervisor.running("sleeper") is None


def test_a_process_that_ignores_the_request_to_end_is_killed_after_its_grace(supervisor: Supervisor) -> None:
    supervisor.ensure(Command(name="stubborn", argv=(sys.executable, "-c", STUBBORN)))
    process = running(supervisor, "stubborn")
    while not supervisor.log_tail("stubborn").startswith("up"):
        time.sleep(0.02)
    begun = time.monotonic()
    supervisor.stop("stubborn", grace=0.3)
    assert 0.3 <= time.monotonic() - begun < 5
    assert not process.alive()


def test_the_youngest_is_named_first(supervisor: Supervisor) -> None:
    for name in ("first", "second", "third"):
        supervisor.ensure(Command(name=name, argv=("sleep", "60")))
        time.sleep(0.02)
    assert supervisor.names() == ["third", "second", "first"]


def test_processes_without_a_pid_file_are_found_by_the_mark_they_inherited(supervisor: Supervisor) -> None:
    supervisor.ensure(Command(name="parent", argv=("sh", "-c", "sleep 60 & wait")))
    parent = running(supervisor, "parent")
    deadline = time.monotonic() + 5
    while len(list(marked(supervisor.folder))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    found = list(marked(supervisor.folder))
    assert parent in found
    assert len(found) == 2
    # A folder whose name merely begins alike is another cluster's; one below is a part of this one.
    assert list(marked(Path(f"{supervisor.folder}-2"))) == []
    assert set(marked(supervisor.folder.parent)) == set(found)


def test_children_are_found_even_where_they_hide_the_mark(supervisor: Supervisor) -> None:
    supervisor.ensure(Command(name="shim", argv=("sh", "-c", "env -i sh -c 'sleep 60 & wait' & wait")))
    shim = running(supervisor, "shim")
    deadline = time.monotonic() + 5
    while len(descendants([shim])) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    container, child = descendants([shim])
    assert container not in set(marked(supervisor.folder))
    assert descendants([container]) == [child]
    for process in (container, child):
        stop_process(process, grace=0.0)
