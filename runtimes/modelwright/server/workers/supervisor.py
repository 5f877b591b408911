"""Several serving processes forked from one that has loaded the models, so that they share the weights' pages."""

import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.server import log
from modelwright.server.workers.guard import Guard
from modelwright.server.workers.held import Held
from modelwright.server.workers.lingering import Lingering

if TYPE_CHECKING:
    from modelwright.server.admin.control import Control

# A worker that lived this long was well; the next failure starts the backoff anew.
_WELL = 10.0
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 30.0
# When this many in a row die young, Kubernetes' own restart, which also reloads the model, is the better remedy.
_HOPELESS = 8
# Seconds; connections that workers have closed are held this much longer.
_SWEEP = 1.0


def next_wait(previous: float, lived: float) -> float:
    """Give the seconds before a dead worker is replaced; none after a good life, doubling after short ones."""
    if lived >= _WELL:
        return 0.0
    return min(_LONGEST_WAIT, max(_FIRST_WAIT, previous * 2))


@dataclass(slots=True)
class _Slot:
    number: int
    pid: int = 0
    started: float = 0.0
    wait: float = 0.0
    due: float = 0.0
    failures: int = 0
    held: Held | None = None


class Supervisor:
    """Keeps `count` workers alive and passes the signal to stop on to them.

    `work` is given the pipe that ends with this process, the worker's number, from 1, which the one that replaces it
    has too, and the guard of its connections; `ended` the number of each that is going to be replaced.
    `control` is how they load and unload models while they run.
    """

    def __init__(
        self,
        count: int,
        listening: socket.socket,
        work: Callable[[int, int, Guard], int],
        ended: Callable[[int], None],
        control: "Control | None" = None,
    ) -> None:
        self._slots = [_Slot(number) for number in range(1, count + 1)]
        self._listening = listening
        self._work = work
        self._ended = ended
        self._control = control
        self._lingering = Lingering()
        self._swept = 0.0
        self._stopping = False
        self._hopeless = False
        # Workers hold the reading end: it ends when this process does, however it does.
        self._orphan_read, self._orphan_write = os.pipe()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    def run(self, grace: float) -> int:
        """Supervise until told to stop, then until every worker has ended; give the exit code.

        Workers that outlive `grace` seconds after the signal are killed.
        """
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for slot in self._slots:
            self._fork(slot)
        until = float("inf")
        clean = True
        while not self._stopping or any(slot.pid for slot in self._slots):
            self._sleep()
            clean = self._reap() and clean
            if self._stopping and until == float("inf"):
                # Else connections would queue in this process's copy, which nobody accepts from.
                self._listening.close()
                until = time.monotonic() + grace
            if time.monotonic() > until:
                self._send(signal.SIGKILL)
                clean, until = False, time.monotonic() + 1
            self._replace()
        return 0 if clean and not self._hopeless else 1

    def _stop(self, number: int, _: object) -> None:
        self._stopping = True
        self._send(number)

    def _send(self, number: int) -> None:
        for slot in self._slots:
            if slot.pid:
                os.kill(slot.pid, number)

    def _sleep(self) -> None:
        waits = [slot.due - time.monotonic() for slot in self._slots if not slot.pid]
        awaited = select.poll()
        said = self._control.descriptors if self._control else ()
        for descriptor in (self._wake_read, *self._lingering.descriptors, *self._channels(), *said):
            awaited.register(descriptor, select.POLLIN)
        awaited.poll(1000 * max(0.0, min([_SWEEP, *waits])))
        self._hold()
        if self._control:
            self._control.read()
        try:
            os.read(self._wake_read, 4096)
        except BlockingIOError:
            return

    def _channels(self) -> list[int]:
        return [descriptor for slot in self._slots if slot.held for descriptor in slot.held.descriptors]

    def _hold(self) -> None:
        """Take the connections that workers hand over, and let those go that they have closed."""
        due = time.monotonic() >= self._swept + _SWEEP
        if due:
            self._swept = time.monotonic()
        for slot in self._slots:
            if slot.held:
                slot.held.receive()
                if due:
                    slot.held.release()
        self._lingering.read()

    def _reap(self) -> bool:
        """Collect the workers that ended; give whether each of them meant to."""
        clean = True
        for slot in self._slots:
            if not slot.pid:
                continue
            pid, status = os.waitpid(slot.pid, os.WNOHANG)
            if not pid:
                continue
            code = os.waitstatus_to_exitcode(status)
            lived = time.monotonic() - slot.started
            slot.pid = 0
            if slot.held:
                self._lingering.add(slot.held.bury())
                slot.held = None
            if self._stopping:
                clean = clean and code == 0
                continue
            self._ended(slot.number)
            if self._control:
                self._control.ended(slot.number)
            slot.wait = next_wait(slot.wait, lived)
            slot.failures = 0 if lived >= _WELL else slot.failures + 1
            slot.due = time.monotonic() + slot.wait
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            log.LOGGER.error("worker %d ended with %s; its replacement starts in %g s", pid, how, slot.wait)
        return clean

    def _replace(self) -> None:
        if not self._stopping and all(slot.failures >= _HOPELESS for slot in self._slots):
            log.LOGGER.error("every worker has died %d times in a row; giving up", _HOPELESS)
            self._hopeless = self._stopping = True
            self._send(signal.SIGTERM)
        for slot in self._slots:
            if not self._stopping and not slot.pid and slot.due <= time.monotonic():
                self._fork(slot)

    def _fork(self, slot: _Slot) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        # Until the worker has handlers of its own, a signal must wait: with this process's it would get lost.
        blocked = (signal.SIGTERM, signal.SIGINT)
        signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
        held = Held(len(self._slots))
        if self._control:
            self._control.before_fork(slot.number)
        pid = os.fork()
        if not pid:
            self._become_worker(slot.number, held)
        held.keep()
        if self._control:
            self._control.after_fork()
        slot.held = held
        slot.pid, slot.started = pid, time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)

    def _become_worker(self, number: int, held: Held) -> None:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in (self._orphan_write, self._wake_read, self._wake_write):
                os.close(descriptor)
            self._lingering.forget()
            for slot in self._slots:
                if slot.held:
                    slot.held.forget()
            code = self._work(self._orphan_read, number, held.guard())
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            # Not sys.exit: what the parent registered to run at its exit is the parent's.
            os._exit(code)
