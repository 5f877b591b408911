"""Detached host processes that are adopted again by pid file and never confused with a recycled pid."""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MARK = "MODELWRIGHT_CLUSTER_STATE"
"""Environment variable that every process of a cluster inherits; its value is the cluster's state folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One process to keep running: its name, its arguments, and the files that it reads at its start."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    grace: float = 10.0

    def fingerprint(self) -> str:
        """Return a digest of the arguments, the environment and the content of the inputs.

        A running process whose fingerprint differs was started from an older configuration.
        """
        # The program is the file, not its name: the same one may be reached by another path after an upgrade of others.
        found = shutil.which(self.argv[0]) or self.argv[0]
        program = Path(found).stat()
        start = [program.st_dev, program.st_ino, program.st_mtime_ns, self.argv[1:], sorted(self.env.items())]
        digest = hashlib.sha256(json.dumps(start).encode())
        for path in self.inputs:
            digest.update(path.read_bytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Running:
    """A live process, identified by pid and by the time it was started (clock ticks since boot)."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Running | None:
        """Return the live process that has the pid now; a zombie counts as gone."""
        stat = _stat(pid)
        if stat is None or stat[0] in "ZX":
            return None
        return cls(pid, int(stat[19]))

    def alive(self) -> bool:
        """Say whether this very process still runs."""
        return Running.of(self.pid) == self


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/<pid>/stat from the state on (proc(5) field 3), or None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The command name is in parentheses and may itself hold spaces and parentheses.
    return text.rpartition(")")[2].split()


def stop_process(process: Running, grace: float) -> None:
    """Send SIGTERM, wait until the process is gone, and send SIGKILL after `grace` seconds.

    A pidfd is opened before the identity is checked, so the signal cannot reach another process.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        if not process.alive():
            return
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        for number, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
            try:
                signal.pidfd_send_signal(descriptor, number)
            except ProcessLookupError:
                return
            if poller.poll(wait * 1000):
                return
    finally:
        os.close(descriptor)


def marked(folder: Path) -> Iterator[Running]:
    """Yield the live processes, other than this one, that inherited the mark of the state folder.

    This finds what no pid file names: children such as containerd's shims, and a process whose
    starter was interrupted before it could write the file.
    """
    wanted = f"{MARK}={folder}".encode()
    # A part of the cluster may keep its processes in a folder below.
    below = wanted + b"/"
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        ours = any(variable == wanted or variable.startswith(below) for variable in environment)
        process = Running.of(int(entry.name)) if ours else None
        if process is not None:
            yield process


def descendants(processes: Iterable[Running]) -> list[Running]:
    """Return the live children of the processes, and theirs, parents first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        stat = _stat(int(entry.name)) if entry.name.isdigit() else None
        if stat is not None:
            children.setdefault(int(stat[1]), []).append(int(entry.name))
    found: list[Running] = []
    waiting = [process.pid for process in processes]
    while waiting:
        below = children.get(waiting.pop(0), [])
        waiting += below
        found += [process for pid in below if (process := Running.of(pid)) is not None]
    return found


class Supervisor:
    """Starts, adopts and stops the processes of one state folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """Take the state folder, and what every process finds in its environment besides this one's own."""
        self.folder = folder
        self._environment = dict(environment or {})
        self._pids = folder / "run"
        self._logs = folder / "log"
        # Children of this very Python process must be reaped here, or they stay as zombies.
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def log(self, name: str) -> Path:
        """Return the path of the process's log."""
        return self._logs / f"{name}.log"

    def log_tail(self, name: str, lines: int = 15) -> str:
        """Return the last lines of the process's log."""
        try:
            text = self.log(name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    def names(self) -> list[str]:
        """Return the names that have a pid file, the youngest first: the order in which to stop."""
        if not self._pids.is_dir():
            return []
        files = sorted(self._pids.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return [path.stem for path in files]

    def running(self, name: str) -> Running | None:
        """Return the process if it still runs."""
        self._reap(name)
        record = self._record(name)
        if record is None:
            return None
        process = Running(int(str(record["pid"])), int(str(record["started"])))
        return process if record["boot"] == _boot() and process.alive() else None

    def ensure(self, command: Command) -> bool:
        """Make the command run as configured; return whether a process was started for it.

        What already runs from the same configuration is adopted. What runs from another one is stopped first.
        """
        fingerprint = command.fingerprint()
        if self.running(command.name) is not None:
            record = self._record(command.name)
            if record is not None and record["fingerprint"] == fingerprint:
                return False
            self.stop(command.name, command.grace)
        self._start(command, fingerprint)
        return True

    def stop(self, name: str, grace: float = 10.0) -> None:
        """Stop the process and wait until it is gone; nothing happens when it does not run."""
        process = self.running(name)
        if process is not None:
            stop_process(process, grace)
        self._reap(name)
        self._file(name).unlink(missing_ok=True)

    def _start(self, command: Command, fingerprint: str) -> None:
        self._pids.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, **self._environment, **command.env, MARK: str(self.folder)}
        with self.log(command.name).open("ab") as log:
            child = subprocess.Popen(
                command.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        self._children[command.name] = child
        stat = _stat(child.pid)
        record = {
            "pid": child.pid,
            "started": int(stat[19]) if stat else 0,
            "boot": _boot(),
            "fingerprint": fingerprint,
            "argv": command.argv,
        }
        partial = self._file(command.name).with_suffix(".partial")
        partial.write_text(json.dumps(record, indent=1), encoding="utf-8")
        partial.replace(self._file(command.name))

    def _record(self, name: str) -> dict[str, object] | None:
        try:
            record = json.loads(self._file(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        complete = isinstance(record, dict) and record.keys() >= {"pid", "started", "boot", "fingerprint"}
        return record if complete else None

    def _reap(self, name: str) -> None:
        child = self._children.get(name)
        if child is not None and child.poll() is not None:
            del self._children[name]

    def _file(self, name: str) -> Path:
        return self._pids / f"{name}.json"


def _boot() -> str:
    """Return the id of this boot: start times are counted from it, so they repeat after a reboot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def wait_gone(processes: Sequence[Running], timeout: float) -> list[Running]:
    """Wait until the processes are gone; return those that are not after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    left = [process for process in processes if process.alive()]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [process for process in left if process.alive()]
    return left
