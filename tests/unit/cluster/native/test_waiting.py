"""Waiting says what it waits for, and why it is in vain."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.native.processes import Command, Supervisor
from cluster.native.waiting import BringUpError, until


def test_the_last_log_lines_of_a_process_that_ended_are_in_the_error(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    supervisor.ensure(Command(name="etcd", argv=("sh", "-c", "echo the disk is full; exit 1")))
    with pytest.raises(BringUpError, match=r"etcd ended while waiting for the API server(.|\n)*the disk is full"):
        until("the API server", lambda: False, report=print, supervisor=supervisor, needs=("etcd",), timeout=10)


def test_time_running_out_names_what_did_not_come(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path)
    supervisor.ensure(Command(name="etcd", argv=("sleep", "60")))
    try:
        with pytest.raises(BringUpError, match=r"the API server: not there after 0 s"):
            until("the API server", lambda: False, report=print, supervisor=supervisor, needs=("etcd",), timeout=0.2)
    finally:
        supervisor.stop("etcd")


def test_what_is_ready_needs_no_process(tmp_path: Path) -> None:
    until("nothing", lambda: True, report=print, supervisor=Supervisor(tmp_path), needs=("etcd",))
