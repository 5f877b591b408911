"""Loading and unloading across workers: one asks their parent, the parent asks all, and answers when all have done it.

The parent itself unloads what is unloaded, so that its pages are given back and a worker that is forked later does not
have it. It never loads: that runs an author's code, and the process that replaces dead workers must not die of it. So
a model that was loaded anew is loaded by each worker for itself, also by one that is forked later.
"""

from __future__ import annotations

import json
import socket
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from modelwright.server.admin.lifecycle import Lifecycle

Verb = Literal["load", "unload"]
MESSAGE_BYTES = 16 * 1024
# Of an error's text; names of models are far shorter than what is left.
_TEXT = 2000


@dataclass(slots=True)
class _Command:
    """What one worker asked for; `asker` is its number, `identity` its own number for the question."""

    asker: int
    identity: int
    verb: Verb
    name: str
    asked: set[int] = field(default_factory=set)
    waiting: set[int] = field(default_factory=set)
    failures: dict[int, str] = field(default_factory=dict)
    error: str | None = None


class Control:
    """The parent's side; workers are named by their slots' numbers."""

    def __init__(self, lifecycle: Lifecycle, loaded: list[str]) -> None:
        self._lifecycle = lifecycle
        self._wanted = set(loaded)
        self._channels: dict[int, socket.socket] = {}
        self._born: socket.socket | None = None
        self._queue: deque[_Command] = deque()
        self._current: _Command | None = None

    def before_fork(self, number: int) -> None:
        """Make the channel of a worker that is about to be forked."""
        own, self._born = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for each in (own, self._born):
            each.setblocking(False)
        self._channels[number] = own

    def after_fork(self) -> None:
        """Leave the worker's end to the worker."""
        if self._born is not None:
            self._born.close()
            self._born = None

    def in_worker(self) -> tuple[socket.socket, list[str]]:
        """Give a worker, in its own process, its end, and the models that it has yet to load before it serves."""
        for channel in self._channels.values():
            channel.close()
        born, self._born = self._born, None
        if born is None:
            raise RuntimeError("no channel was made before this worker was forked")
        return born, self._lifecycle.missing(frozenset(self._wanted))

    @property
    def descriptors(self) -> list[int]:
        """What becomes readable when a worker says something."""
        return [channel.fileno() for channel in self._channels.values()]

    def ended(self, number: int) -> None:
        """Take note that a worker has died: what it was asked, its replacement is born with."""
        channel = self._channels.pop(number, None)
        if channel is not None:
            channel.close()
        current = self._current
        if current is not None:
            current.asked.discard(number)
            if number in current.waiting:
                current.waiting.discard(number)
                if current.verb == "load":
                    current.failures[number] = "the worker died while it loaded the model"
            self._advance()

    def read(self) -> None:
        """Take what workers have said."""
        for number, channel in list(self._channels.items()):
            while text := _receive(channel):
                self._take(number, dict(json.loads(text)))
            if text is not None:
                # What it was asked is settled once it has been reaped.
                del self._channels[number]
                channel.close()

    def _take(self, number: int, message: dict[str, Any]) -> None:
        current = self._current
        if "ask" in message:
            self._queue.append(_Command(number, message["ask"], message["verb"], message["name"]))
        elif current is not None and number in current.waiting and message["done"] == current.verb:
            current.waiting.discard(number)
            if message["error"]:
                current.failures[number] = message["error"]
        self._advance()

    def _advance(self) -> None:
        """Go on as far as no worker's answer is missing."""
        while True:
            if self._current is None:
                if not self._queue:
                    return
                self._current = self._queue.popleft()
                if self._current.verb == "unload":
                    self._forget(self._current.name)
            current = self._current
            # A failure ends a load: nobody else need begin it.
            if not (current.failures and current.verb == "load"):
                self._ask(current, self._channels.keys() - current.asked)
            if current.waiting:
                return
            self._conclude(current)

    def _forget(self, name: str) -> None:
        self._wanted.discard(name)
        self._lifecycle.shed(name)

    def _ask(self, command: _Command, workers: set[int]) -> None:
        for number in workers:
            command.asked.add(number)
            if send(self._channels[number], {"do": command.verb, "name": command.name}):
                command.waiting.add(number)

    def _conclude(self, command: _Command) -> None:
        if command.failures:
            some = f"{len(command.failures)} of {len(self._channels)} workers"
            why = next(iter(command.failures.values()))
            if command.verb == "load":
                # Else it would depend on the worker whether a request is answered.
                command.error = f"in {some}: {why}; it is unloaded in all of them again"
                command.verb = "unload"
                command.asked.clear()
                command.failures.clear()
                self._forget(command.name)
                return
            command.error = command.error or f"in {some}: {why}"
        if command.verb == "load":
            self._wanted.add(command.name)
        asker = self._channels.get(command.asker)
        if asker is not None:
            send(asker, {"answer": command.identity, "error": command.error and command.error[:_TEXT]})
        self._current = None


def send(channel: socket.socket, message: dict[str, Any]) -> bool:
    """Send a message; give whether there was somebody to take it."""
    try:
        channel.send(json.dumps(message).encode())
    except OSError:
        return False
    return True


def _receive(channel: socket.socket) -> bytes | None:
    """Give a message, None where there is none yet, nothing where there will be none."""
    try:
        return channel.recv(MESSAGE_BYTES)
    except BlockingIOError:
        return None
    except OSError:
        return b""
