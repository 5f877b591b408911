"""The process that keeps a model's process alive, for as long as its server is; it imports nothing of the author's."""

from __future__ import annotations

import logging
import os
import select
import shutil
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

from modelwright.environments import frames
from modelwright.environments.frames import Kind

LOGGER = logging.getLogger("modelwright.environments")
# A process that lived this long was well; the next one that dies young starts the waiting anew. Seconds.
_WELL: Final = 10.0
_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 30.0
# What a model's process may take to unload.
_GRACE: Final = 5.0


class Keeper:
    """Forks the process that runs `work`, again whenever it dies, until nobody holds the other end of `lifetime`.

    `work` is given what to call once it has loaded. Connections wait at `listening` meanwhile; while there is no model
    to take them they are told why.
    """

    def __init__(self, listening: socket.socket, lifetime: int, work: Callable[[Callable[[], None]], int]) -> None:
        self._listening = listening
        self._lifetime = lifetime
        self._work = work
        self._pid = 0
        self._started = 0.0
        self._wait = 0.0
        self._loaded = self._held = -1

    def run(self) -> None:
        """Keep the process until the server is gone, then end it, and remove the socket."""
        wake, woken = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._fork()
        while not self._orphaned(wake):
            status = self._reaped()
            if status is not None:
                self._died(status)
                if self._orphaned(wake, self._wait):
                    break
                self._fork()
        self._end()
        shutil.rmtree(Path(self._listening.getsockname()).parent, ignore_errors=True)

    def _orphaned(self, wake: int, patience: float | None = None) -> bool:
        """Wait for the server's end, for a process's end, or for so many seconds; give whether it was the first."""
        awaited = select.poll()
        awaited.register(self._lifetime, select.POLLIN)
        if patience is None:
            awaited.register(wake, select.POLLIN)
        found = dict(awaited.poll(None if patience is None else patience * 1000))
        if wake in found:
            os.read(wake, 4096)
        return self._lifetime in found

    def _fork(self) -> None:
        reading, writing = os.pipe()
        alive, held = os.pipe()
        self._started = time.monotonic()
        self._pid = os.fork()
        if not self._pid:
            for descriptor in (reading, held, self._lifetime):
                os.close(descriptor)
            self._become(alive, writing)
        os.close(writing)
        os.close(alive)
        self._close_loaded()
        self._loaded, self._held = reading, held

    def _become(self, alive: int, writing: int) -> None:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            # In a thread: the author's code may hold the loop for long, and must not outlive the server.
            threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
            code = self._work(lambda: _say(writing))
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
            if code:
                traceback.print_exc()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _reaped(self) -> int | None:
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None

    def _died(self, code: int) -> None:
        """Tell those who wait where it died before it had loaded, and settle when the next one starts."""
        had_loaded = bool(os.read(self._loaded, 1))
        os.close(self._held)
        self._pid = 0
        how = f"signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"exit code {code}"
        lived = time.monotonic() - self._started
        self._wait = 0.0 if lived >= _WELL else min(_LONGEST_WAIT, max(_FIRST_WAIT, self._wait * 2))
        LOGGER.error("the model's process ended with %s; the next one starts in %g s", how, self._wait)
        if not had_loaded:
            self._refuse(f"its process ended with {how} before it had loaded; its own lines above may say why")

    def _refuse(self, reason: str) -> None:
        self._listening.setblocking(False)
        try:
            while True:
                connection, _ = self._listening.accept()
                connection.setblocking(True)
                error = {"type": "ChildProcessError", "module": "builtins", "message": reason, "traceback": ""}
                frames.send_now(connection, Kind.FAILED, error)
                connection.close()
        except OSError:
            return
        finally:
            self._listening.setblocking(True)

    def _end(self) -> None:
        """Let the process unload, then end it."""
        if not self._pid:
            return
        os.kill(self._pid, signal.SIGTERM)
        until = time.monotonic() + _GRACE
        while self._reaped() is None:
            if time.monotonic() > until:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                return
            time.sleep(0.02)

    def _close_loaded(self) -> None:
        if self._loaded >= 0:
            os.close(self._loaded)


def _end_with(alive: int) -> None:
    """End this process when the keeper has, whatever it is in."""
    while os.read(alive, 1):
        pass
    os._exit(1)


def _say(writing: int) -> None:
    os.write(writing, b"1")
