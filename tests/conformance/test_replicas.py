"""Replicas in processes of their own: calls, streams, deaths."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from modelwright.scale.processes import Processes
from modelwright.scale.replicas import ReplicaDied, ReplicaFailed

from tests.conformance.replica_models import Worker
from tests.conformance.server_process import ROOT

DEADLINE_S = 60


@pytest.fixture
def replicas() -> Iterator[Processes]:
    made = Processes(Worker)
    yield made
    made.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def shared_memory() -> int:
    """Count this process's mappings and descriptors of memory that it shares with replicas, and files of such."""
    gc.collect()
    found = Path("/proc/self/maps").read_text().count("memfd:modelwright")
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found += "memfd:modelwright" in str(each.readlink())
    return found + sum(each.name.startswith(("modelwright", "psm_")) for each in Path("/dev/shm").iterdir())


def test_calls_are_done_elsewhere_in_order(replicas: Processes) -> None:
    futures = [replicas.submit("add", {"x": 1}), replicas.submit("add", {"x": [1], "y": [2]})]
    assert [future.result(DEADLINE_S) for future in futures] == [2, [1, 2]]
    assert replicas.submit("pid", {}).result(DEADLINE_S) == replicas.pids[0] != os.getpid()
    assert replicas.weight() > 1024**2


@pytest.mark.parametrize("shape", [(3,), (512, 512)], ids=["in the frame", "in shared memory"])
def test_an_array_is_the_replicas_own_to_write_into(shape: tuple[int, ...], replicas: Processes) -> None:
    mine = np.zeros(shape)
    assert replicas.submit("fill", {"array": mine}).result(DEADLINE_S) == mine.size
    assert not mine.any()
    theirs = replicas.submit("add", {"x": mine}).result(DEADLINE_S)
    assert theirs.shape == shape
    assert (theirs == 1).all()


def test_a_class_made_in_a_function_runs_too() -> None:
    factor = 3

    class Local:
        def times(self, x: int) -> int:
            return x * factor

    made = Processes(Local)
    assert made.submit("times", {"x": 2}).result(DEADLINE_S) == 6
    made.close()


def test_what_a_method_raises_is_raised(replicas: Processes) -> None:
    error = replicas.submit("refuse", {}).exception(DEADLINE_S)
    assert isinstance(error, KeyError)
    assert "in refuse" in "".join(error.__notes__)
    assert isinstance(replicas.submit("refuse_oddly", {}).exception(DEADLINE_S), ReplicaFailed)
    assert isinstance(replicas.submit("absent", {}).exception(DEADLINE_S), AttributeError)
    assert isinstance(replicas.submit("give_a_lock", {}).exception(DEADLINE_S), TypeError)
    assert replicas.submit("add", {"x": 1}).result(DEADLINE_S) == 2


def test_what_a_constructor_raises_is_raised() -> None:
    def fails() -> object:
        raise LookupError("no weights")

    with pytest.raises(LookupError, match="no weights"):
        Processes(fails)


def test_scaling_waits_for_new_ones_and_lets_old_ones_finish(replicas: Processes, tmp_path: Path) -> None:
    replicas.scale(3)
    mark = tmp_path / "go"
    futures = [replicas.submit("wait_for", {"path": str(mark)}) for _ in range(3)]
    until(lambda: len(list(tmp_path.iterdir())) == 3)
    pids = replicas.pids
    with ThreadPoolExecutor(1) as beside:
        fewer = beside.submit(replicas.scale, 1)
        mark.touch()
        assert {future.result(DEADLINE_S) for future in futures} == set(pids)
        fewer.result(DEADLINE_S)
    assert (replicas.count, replicas.pids) == (1, pids[:1])
    until(lambda: all(map(gone, pids[1:])))
    with pytest.raises(ValueError, match="at least 1"):
        replicas.scale(0)


def test_submitting_waits_while_two_calls_a_replica_are_not_done(replicas: Processes, tmp_path: Path) -> None:
    mark = tmp_path / "go"
    for _ in range(2):
        replicas.submit("wait_for", {"path": str(mark)})
    with ThreadPoolExecutor(1) as beside:
        third = beside.submit(replicas.submit, "pid", {})
        until(lambda: bool(list(tmp_path.iterdir())))
        assert not third.done()
        mark.touch()
        assert third.result(DEADLINE_S).result(DEADLINE_S) == replicas.pids[0]


def test_a_killed_replica_is_replaced_and_its_call_done_again(replicas: Processes, tmp_path: Path) -> None:
    assert replicas.submit("die_once", {"mark": str(tmp_path / "mark")}).result(DEADLINE_S) == "lived"
    mark = tmp_path / "go"
    first = replicas.pids[0]
    future = replicas.submit("wait_for", {"path": str(mark)})
    until((tmp_path / f"go.{first}").exists)
    os.kill(first, signal.SIGKILL)
    mark.touch()
    assert future.result(DEADLINE_S) == replicas.pids[0] != first


def test_a_replica_killed_with_arrays_in_both_hands_leaves_no_memory(tmp_path: Path) -> None:
    before = shared_memory()
    made = Processes(Worker, 2)
    mark, large = tmp_path / "go", np.arange(500_000)
    result = made.submit("add", {"x": large}, on=0).result(DEADLINE_S)
    first = made.pids[0]
    future = made.submit("wait_for", {"path": str(mark), "beside": large}, on=0)
    until((tmp_path / f"go.{first}").exists)
    os.kill(first, signal.SIGKILL)
    mark.touch()
    assert future.result(DEADLINE_S) == made.pids[0] != first
    # What the dead one gave stays for as long as somebody has it.
    np.testing.assert_array_equal(result, large + 1)
    del result
    made.close()
    del made, future
    until(lambda: shared_memory() == before)


def test_results_that_are_kept_stay_as_they_were(replicas: Processes) -> None:
    # More of them than an arena has slots.
    kept = [replicas.submit("add", {"x": np.full(70_000, number)}).result(DEADLINE_S) for number in range(300)]
    assert all((array == number + 1).all() for number, array in enumerate(kept))


def test_one_killed_between_two_calls_costs_none_of_them(replicas: Processes) -> None:
    first = replicas.pids[0]
    os.kill(first, signal.SIGKILL)
    assert replicas.submit("add", {"x": 1}).result(DEADLINE_S) == 2
    assert replicas.pids[0] not in (0, first)


def test_a_call_that_kills_two_replicas_is_reported(replicas: Processes) -> None:
    error = replicas.submit("die", {}).exception(DEADLINE_S)
    assert isinstance(error, ReplicaDied)
    assert "exit code 3 in a call of die, as another did before it" in str(error)
    assert replicas.submit("add", {"x": 1}).result(DEADLINE_S) == 2


def test_generators_are_iterators_here(replicas: Processes) -> None:
    assert list(replicas.submit("count", {"n": 3}).result(DEADLINE_S)) == [0, 1, 2]
    assert list(replicas.submit("count_later", {"n": 3}).result(DEADLINE_S)) == [0, 1, 2]
    assert replicas.submit("later", {}).result(DEADLINE_S) == "later"
    stream = replicas.submit("count", {"n": 5}).result(DEADLINE_S)
    with pytest.raises(ValueError, match="five"):
        list(stream)


def test_a_stream_that_nobody_wants_any_more_frees_its_replica(replicas: Processes) -> None:
    stream = replicas.submit("count", {"n": 10**9}).result(DEADLINE_S)
    assert next(stream) == 0
    del stream
    assert replicas.submit("add", {"x": 1}).result(DEADLINE_S) == 2


def test_a_death_in_the_midst_of_a_stream_is_reported(replicas: Processes) -> None:
    stream = replicas.submit("count_and_die", {}).result(DEADLINE_S)
    assert next(stream) == 1
    with pytest.raises(ReplicaDied, match="exit code 4 in the midst of a stream"):
        next(stream)
    assert replicas.submit("add", {"x": 1}).result(DEADLINE_S) == 2


def test_closing_ends_processes_and_fails_what_is_not_done(tmp_path: Path) -> None:
    made = Processes(Worker)
    futures = [made.submit("wait_for", {"path": str(tmp_path / "go")}) for _ in range(2)]
    until(lambda: bool(list(tmp_path.iterdir())))
    (pid,) = made.pids
    made.close()
    for future in futures:
        assert isinstance(future.exception(DEADLINE_S), ReplicaDied)
    until(lambda: gone(pid))
    with pytest.raises(ReplicaDied, match="closed"):
        made.submit("add", {"x": 1})


def test_replicas_end_with_the_last_reference_to_them() -> None:
    made = Processes(Worker)
    (pid,) = made.pids
    del made
    until(lambda: gone(pid))


def test_a_file_that_starts_replicas_at_import_ends_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "starts_at_import.py").write_text(
        "from modelwright.scale.processes import Processes\n"
        "class Model:\n    def run(self): return 1\n"
        "Processes(Model)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Exception, match="3 deep: the file of their class starts some whenever it is imported"):
        importlib.import_module("starts_at_import")
    sys.modules.pop("starts_at_import", None)


def test_a_replica_in_the_midst_of_a_call_ends_with_its_starter(tmp_path: Path) -> None:
    (tmp_path / "starter.py").write_text(
        "import time\n"
        "from tests.conformance.replica_models import Worker\n"
        "from modelwright.scale.processes import Processes\n"
        "made = Processes(Worker)\n"
        f"made.submit('wait_for', {{'path': {str(tmp_path / 'go')!r}}})\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'runtimes'}"}
    starter = subprocess.Popen([sys.executable, tmp_path / "starter.py"], env=environment)
    until(lambda: bool(list(tmp_path.glob("go.*"))))
    starter.kill()
    starter.wait(DEADLINE_S)
    (mark,) = tmp_path.glob("go.*")
    until(lambda: gone(int(mark.suffix[1:])))


def test_a_forked_process_is_told_to_make_its_own(replicas: Processes) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            replicas.submit("pid", {})
        except ReplicaDied as error:
            os.write(writing, str(error).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    assert b"forked from" in os.read(reading, 1000)
    os.close(reading)
    assert replicas.submit("add", {"x": 1}).result(DEADLINE_S) == 2
