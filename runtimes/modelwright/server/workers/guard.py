"""A worker's connections, each handed to the supervisor in duplicate, which answers them should the worker die."""

from __future__ import annotations

import mmap
import socket
import struct
from typing import Final

# What a connection's byte in the memory that worker and supervisor share may say. IDLE is also an answer that has
# begun: in both cases another answer must not be written.
IDLE: Final = 0
IN_WORK: Final = 1
CLOSED: Final = 2
NUMBER: Final = struct.Struct("=H")


class Guard:
    """The worker's end; `states` has a byte for each connection that may be guarded at one time."""

    def __init__(self, channel: socket.socket, states: mmap.mmap) -> None:
        self.states = states
        self._channel = channel
        self._free = list(range(len(states)))

    def add(self, descriptor: int) -> int | None:
        """Hand a connection over and give its number; None, at once, where there are too many or nobody takes it."""
        if not self._free:
            return None
        number = self._free.pop()
        self.states[number] = IDLE
        try:
            socket.send_fds(self._channel, [NUMBER.pack(number)], [descriptor])
        except OSError:
            self._give_back(number)
            return None
        return number

    def remove(self, number: int, descriptor: int) -> None:
        """Give up a connection that is about to be closed; its client sees the end now, whoever holds a duplicate."""
        # Family and type are given because asking the kernel for them costs two calls.
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, descriptor)
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The client was first.
            pass
        finally:
            connection.detach()
        self._give_back(number)

    def _give_back(self, number: int) -> None:
        self.states[number] = CLOSED
        self._free.append(number)
