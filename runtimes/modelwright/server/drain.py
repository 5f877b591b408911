"""The end of a process: take no request that cannot be answered, and answer every one that was taken."""

import asyncio
import gc
import socket
from collections.abc import Callable, Collection
from typing import Any

from modelwright.server.rest.wire.connection import Connection
from modelwright.server.rest.wire.terms import Coming

_STEP = 0.05
# What is left for cancelled requests to end in.
_LAST = 1.0


def accept_rest(listening: socket.socket, protocol: Callable[[], Any], tls: dict[str, Any]) -> list[asyncio.Task[Any]]:
    """Take every connection that the kernel has already made: closing the socket would reset them.

    Gives what is to be awaited, which may take as long as `tls`'s handshakes.
    """
    loop = asyncio.get_running_loop()
    accepted: list[asyncio.Task[Any]] = []
    while True:
        try:
            connection, _ = listening.accept()
        except (BlockingIOError, OSError):
            return accepted
        connection.setblocking(False)
        accepted.append(loop.create_task(loop.connect_accepted_socket(protocol, connection, **tls)))


async def handshakes(coming: Collection[Coming], until: float) -> None:
    """Wait for those who are in the middle of a TLS handshake; `until` is a moment of the event loop's clock."""
    loop = asyncio.get_running_loop()
    if coming:
        # Those whose handshake failed, such as each tcpSocket probe's, are garbage in a ring.
        gc.collect()
    while coming and loop.time() < until:  # noqa: ASYNC110 - who is collected sets no event
        await asyncio.sleep(_STEP)


async def finish(connections: Collection[Connection], tasks: Collection[asyncio.Task[None]], until: float) -> bool:
    """Wait for the requests in work and close connections as they fall idle; give whether all ended by `until`.

    `until` is a moment of the event loop's clock. What has not ended by then is cancelled.
    """
    loop = asyncio.get_running_loop()
    idle_before: set[Connection] = set()
    while connections or tasks:
        if loop.time() >= until:
            await _cancel(tasks)
            return False
        # Idle at two looks, so that what was just accepted or answered has had its turn.
        idle = {each for each in connections if each.idle}
        for each in idle & idle_before:
            each.shutdown()
        idle_before = idle
        await asyncio.sleep(_STEP)
    return True


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    waiting = list(tasks)
    for task in waiting:
        task.cancel()
    if waiting:
        await asyncio.wait(waiting, timeout=_LAST)
