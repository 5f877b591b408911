"""The server that `--reload` starts, and starts anew: a process, and the channel by which it takes changes over."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from modelwright.authoring.reload.files import Changed
from modelwright.server.renewal import RELOADED_BY

# Seconds. A server whose event loop is held up by an author's code for longer is started anew.
_PATIENCE: Final = 10.0
_LOOK_EVERY: Final = 0.05


class Server:
    """One serving process."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._channel, theirs = socket.socketpair()
        self._received = b""
        self._takes: dict[str, Any] | None = None
        self._signalled = False
        with theirs:
            self._process = subprocess.Popen(
                list(command), env={**environment, RELOADED_BY: str(theirs.fileno())}, pass_fds=[theirs.fileno()]
            )

    def ended(self) -> int | None:
        """Give its exit status, None while it runs."""
        return self._process.poll()

    def signal(self, number: int) -> None:
        """Pass a signal on."""
        self._signalled = True
        if self.ended() is None:
            self._process.send_signal(number)

    def stop(self) -> int:
        """End it once the requests in flight are answered, and give its exit status."""
        # SIGINT drains without waiting for who does not know yet; a server that does not serve has no handler for it.
        self.signal(signal.SIGTERM if self._said(0.0) is None else signal.SIGINT)
        return self.wait()

    def wait(self) -> int:
        """Wait for it to end, which it does after a signal, and give its exit status."""
        if not self._signalled:
            self.signal(signal.SIGTERM)
        status = self._process.wait()
        self._channel.close()
        return status

    def take(self, changed: Sequence[Changed]) -> str | None:
        """Have it take changes over; give why it cannot."""
        takes = self._said(0.0)
        if takes is None:
            return "the old one had not loaded yet, or is not ours"
        if takes["takes"] is not None:
            return f"{changed[0].path.name} changed, and {takes['takes']}"
        self._channel.settimeout(_PATIENCE)
        try:
            self._channel.sendall(json.dumps([_told(each) for each in changed]).encode() + b"\n")
        except OSError:
            return "it does not listen"
        answer = self._line(_PATIENCE)
        if answer is None:
            return f"it did not answer within {_PATIENCE:g} s"
        return None if answer["restart"] is None else str(answer["restart"])

    def _said(self, seconds: float) -> dict[str, Any] | None:
        """Give the server's first line, None while there is none."""
        if self._takes is None:
            self._takes = self._line(seconds)
        return self._takes

    def _line(self, seconds: float) -> dict[str, Any] | None:
        until = time.monotonic() + seconds
        while b"\n" not in self._received:
            self._channel.settimeout(max(_LOOK_EVERY, until - time.monotonic()))
            try:
                piece = self._channel.recv(65536)
            except OSError:
                piece = b""
            if not piece:
                return None
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        document: dict[str, Any] = json.loads(line)
        return document


def _told(changed: Changed) -> dict[str, Any]:
    difference = changed.difference
    return {
        "path": os.fspath(changed.path),
        "source": changed.source,
        "restart": difference.restart,
        "put": difference.put,
        "drop": difference.drop,
    }
