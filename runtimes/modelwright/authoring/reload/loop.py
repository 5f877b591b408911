"""`modelwright serve --reload`: serve, watch, and take over or start anew what changes."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from modelwright.authoring.errors import Mistake
from modelwright.authoring.reload import files
from modelwright.authoring.reload.files import Changed
from modelwright.authoring.reload.server import Server


def run(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> int:
    """Run the command that serves, until SIGTERM or SIGINT, and give its exit status.

    Raises:
        Mistake: watchfiles is not installed.

    """
    try:
        import watchfiles  # noqa: PLC0415 - other verbs do without it
    except ImportError:
        raise Mistake("--reload needs watchfiles: pip install modelwright[reload]") from None
    stop = threading.Event()
    reloaded = Reloaded(command, environment, folder.resolve())

    def stopped(number: int, _: object) -> None:
        stop.set()
        reloaded.signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopped)
    told = watchfiles.watch(
        folder, stop_event=stop, watch_filter=_matters, yield_on_timeout=True, rust_timeout=200, raise_interrupt=False
    )
    # Once at the start too: a file may have changed between its first reading and the first watching.
    changed = True
    for seen in told:
        reloaded.look(changed=changed or bool(seen))
        changed = False
        if stop.is_set():
            break
    return reloaded.wait()


def _matters(_: object, path: str) -> bool:
    return files.watched(os.path.basename(path))  # noqa: PTH119 - asked for each file of a folder that changes


class Reloaded:
    """A server, and the texts that it was started with or has taken over since."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._command, self._environment, self._folder = command, environment, folder
        self._mistaken: files.Texts | None = None
        self._told_of_end = False
        _say(f"watching {folder} for changes of its code and settings, not of its weights")
        self._texts: files.Texts = files.texts(folder)
        self._server = Server(command, environment)

    def signal(self, number: int) -> None:
        """Pass a signal on."""
        self._server.signal(number)

    def wait(self) -> int:
        """Wait for the server to end after a signal; give its exit status."""
        status = self._server.wait()
        return 128 - status if status < 0 else status

    def look(self, *, changed: bool) -> None:
        """Act on what has changed, and say when the server has ended by itself."""
        status = self._server.ended()
        if status is not None and not self._told_of_end:
            self._told_of_end = True
            _say(f"the server ended with exit status {status}; it starts anew when a file changes")
        if changed:
            self._take()

    def _take(self) -> None:
        texts = files.texts(self._folder)
        if texts in (self._texts, self._mistaken):
            return
        try:
            found = files.changes(self._folder, self._texts, texts)
        except Mistake as error:
            self._mistaken = texts
            _say(f"{error}: " + ("mend it" if self._told_of_end else "what was there before goes on serving"))
            return
        self._mistaken = None
        reason = "it had ended" if self._server.ended() is not None else self._server.take(found)
        self._texts = texts
        if reason is not None:
            self._start_anew(reason)
        else:
            _say_taken(found)

    def _start_anew(self, reason: str) -> None:
        _say(f"starting the server anew: {reason}")
        self._server.stop()
        self._told_of_end = False
        # What was written meanwhile is what it starts with.
        self._texts = files.texts(self._folder)
        self._server = Server(self._command, self._environment)


def _say_taken(found: Sequence[Changed]) -> None:
    # A file that the server has not imported changed for nobody, whatever changed in it.
    names = [str(unit) for each in found if each.difference.restart is None for unit in each.difference.changed]
    if names:
        _say(f"taken over, with all that is loaded kept: {', '.join(names)}")


def _say(text: str) -> None:
    sys.stderr.write(f"modelwright: {text}\n")
    sys.stderr.flush()
