"""What a supervisor holds of one worker: a duplicate of each connection, and the byte that says what to do with it."""

from __future__ import annotations

import mmap
import os
import resource
import socket
from typing import Final

from modelwright.server.rest.documents import to_json
from modelwright.server.rest.wire.heads import status_line
from modelwright.server.workers.guard import CLOSED, IN_WORK, NUMBER, Guard

_BODY: Final = to_json(
    {"error": "the worker that had this request died before it answered; the request may be sent again"}
)
_HEAD: Final = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
_ANSWER: Final = status_line(503) + _HEAD % len(_BODY) + _BODY
# Connections of one worker that are guarded at one time; those past them are reset when it dies.
_MOST: Final = 1024


class Held:
    """The supervisor's end of one of several workers' `Guard`; made before the worker is forked."""

    def __init__(self, workers: int) -> None:
        most, unlimited = resource.getrlimit(resource.RLIMIT_NOFILE)[0], resource.RLIM_INFINITY
        # Half of the files that the supervisor may open, at most.
        most = _MOST if most == unlimited else max(1, min(_MOST, most // 2 // workers))
        self._channel, self._workers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.setblocking(False)
        self._workers.setblocking(False)
        self._states = mmap.mmap(-1, most)
        self._descriptors: dict[int, int] = {}
        self._over = False

    @property
    def descriptors(self) -> list[int]:
        """What becomes readable when connections are handed over; empty once none will be."""
        return [] if self._over else [self._channel.fileno()]

    def guard(self) -> Guard:
        """Give the worker, in its own process, its end."""
        self._channel.close()
        return Guard(self._workers, self._states)

    def keep(self) -> None:
        """Leave the worker's end to the worker: else its death would not end the channel."""
        self._workers.close()

    def receive(self) -> None:
        """Take what was handed over; a connection whose number comes again has been closed by the worker."""
        while not self._over:
            try:
                message, received, _, _ = socket.recv_fds(self._channel, NUMBER.size, 1, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            except OSError:
                message, received = b"", []
            if len(message) != NUMBER.size:
                self._over = True
                return
            (number,) = NUMBER.unpack(message)
            self._close(number)
            # Nothing is received where this process may open no more files.
            if received:
                self._descriptors[number] = received[0]

    def release(self) -> None:
        """Close what the worker has closed; its client knows already, so this may take its time."""
        for number in [number for number in self._descriptors if self._states[number] == CLOSED]:
            self._close(number)

    def bury(self) -> list[socket.socket]:
        """Answer in a dead worker's stead what it had not begun to, and end its other connections.

        Gives the answered ones, which must stay open until their clients have read.
        """
        self.receive()
        answered = []
        for number, descriptor in self._descriptors.items():
            connection = socket.socket(fileno=descriptor)
            if self._states[number] == IN_WORK and _answer(connection):
                answered.append(connection)
            else:
                _end(connection)
        self._descriptors.clear()
        self._channel.close()
        self._states.close()
        return answered

    def forget(self) -> None:
        """Close everything in a process that was forked from the supervisor for another worker."""
        self._channel.close()
        for number in list(self._descriptors):
            self._close(number)

    def _close(self, number: int) -> None:
        descriptor = self._descriptors.pop(number, None)
        if descriptor is not None:
            os.close(descriptor)


def _answer(connection: socket.socket) -> bool:
    try:
        connection.setblocking(False)
        connection.send(_ANSWER)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        return False
    return True


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The client was first.
        pass
    finally:
        connection.close()
