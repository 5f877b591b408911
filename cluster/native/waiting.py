"""Waiting with progress lines, and with the log of what died meanwhile."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from cluster.info import ClusterError
from cluster.native.processes import Supervisor

Report = Callable[[str], None]
"""Takes one line of progress for a person to read."""


def print_progress(line: str) -> None:
    """Print a line of progress on stderr: stdout holds results only."""
    print(line, file=sys.stderr, flush=True)


class BringUpError(ClusterError):
    """Something of the cluster could not be started; the message says what and shows the last log lines."""


def until(
    what: str,
    ready: Callable[[], bool],
    *,
    report: Report,
    supervisor: Supervisor,
    needs: Sequence[str],
    timeout: float = 120.0,
) -> None:
    """Poll `ready` until it holds, saying every few seconds what is waited for.

    `needs` names the processes without which waiting is pointless. Raises `BringUpError` when one of
    them ends or after `timeout` seconds.
    """
    begun = time.monotonic()
    announced = begun
    while not ready():
        now = time.monotonic()
        for name in needs:
            if supervisor.running(name) is None:
                raise BringUpError(_with_log(f"{name} ended while waiting for {what}", supervisor, name))
        if now - begun > timeout:
            raise BringUpError(_with_log(f"{what}: not there after {timeout:.0f} s", supervisor, needs[0]))
        if now - announced > 5:
            announced = now
            report(f"waiting for {what} ({now - begun:.0f} s; log: {supervisor.log(needs[0])})")
        time.sleep(0.1)


def _with_log(message: str, supervisor: Supervisor, name: str) -> str:
    return f"{message}; last lines of {supervisor.log(name)}:\n{supervisor.log_tail(name)}"
