"""The first words between a server's process and a model's: who connects brings the memory that both are to share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable
from typing import Final

from modelwright.environments.wire import Wire
from modelwright.scale.arena import Arenas, offered

# One byte, with the descriptors of two arenas where the system grants them.
_HELLO: Final = b"\0"
_ARENAS: Final = 2
# Seconds.
_PAUSE: Final = 1.0
LOGGER = logging.getLogger("modelwright.environments")
Make = Callable[[Arenas], Wire]


async def connect(address: str, make: Make) -> Wire:
    """Connect to a model's process.

    Raises:
        OSError: there is nobody at that address.

    """
    loop = asyncio.get_running_loop()
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await loop.sock_connect(connection, address)
        with offered() as (arenas, descriptors):
            # Who has closed this end already may have said why.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                socket.send_fds(connection, [_HELLO], descriptors)
            wire = make(arenas)
        await loop.create_unix_connection(lambda: wire, sock=connection)
    except BaseException:
        connection.close()
        raise
    return wire


async def accept(listening: socket.socket, make: Make) -> None:
    """Take connections in until cancelled."""
    loop = asyncio.get_running_loop()
    listening.setblocking(False)
    begun: set[asyncio.Task[None]] = set()
    while True:
        try:
            connection, _ = await loop.sock_accept(listening)
        except OSError as error:
            # Too many files are open, say; it passes, and who connects waits.
            LOGGER.error("no connection can be taken: %s", error)
            await asyncio.sleep(_PAUSE)
            continue
        task = loop.create_task(_begin(connection, make))
        begun.add(task)
        task.add_done_callback(begun.discard)


async def _begin(connection: socket.socket, make: Make) -> None:
    try:
        arenas = await _received(connection)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: make(arenas), connection)
    except OSError:
        # Who connected has left again.
        connection.close()


async def _received(connection: socket.socket) -> Arenas:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection)
    hello, descriptors, _, _ = socket.recv_fds(connection, len(_HELLO), _ARENAS, socket.MSG_CMSG_CLOEXEC)
    try:
        if not hello:
            raise ConnectionResetError("nobody has connected")
        return Arenas.of(descriptors)
    finally:
        for each in descriptors:
            os.close(each)
