"""A replica's own process: it makes its object, then does one call after another until its starter closes the socket.

Frames in: a factory, pickled, then `[method, arguments]`; during a stream `True` for the next piece, `False` for no
more. Frames out: `[kind, value]` with a kind of `Kind`.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Final

import cloudpickle  # type: ignore[import-untyped]

from modelwright.scale.arena import Arenas
from modelwright.scale.frames import Channel, Closed
from modelwright.scale.replicas import ReplicaFailed

RESULT: Final = "result"
RAISED: Final = "raised"
STREAM: Final = "stream"
END: Final = "end"
# Seconds.
_ORDERLY: Final = 0.5


def main(arguments: Sequence[str]) -> None:
    """Serve the starter: `arguments` are the inherited socket's descriptor, those of two arenas, and folders.

    The folders are where the author's modules are; those that `sys.path` lacks are added to it.
    """
    descriptor, shared, folders = (json.loads(each) for each in arguments)
    sys.path += [folder for folder in folders if folder not in sys.path]
    arenas = Arenas.of(shared)
    for each in shared:
        # Mapped; a process of the author's own is to inherit none of them.
        os.close(each)
    # Ctrl-C in a terminal reaches the whole group; the starter says when it is over.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end = socket.socket(fileno=descriptor)
    threading.Thread(target=_end_with_the_starter, args=(end,), daemon=True).start()
    channel = Channel(end, arenas)
    with asyncio.Runner() as runner:
        try:
            made = _made(channel)
            while made is not None:
                _call(channel, runner, made)
        except Closed:
            return


def _end_with_the_starter(end: socket.socket) -> None:
    """End this process even in the midst of the author's code, once nobody waits for it."""
    gone = select.poll()
    gone.register(end, select.POLLRDHUP)
    gone.poll()
    # Who is between two calls has ended in an orderly way by then.
    time.sleep(_ORDERLY)
    os._exit(1)


def _made(channel: Channel) -> object:
    pickled = channel.receive()
    try:
        factory: Callable[[], object] = cloudpickle.loads(pickled)
        made = factory()
    except Exception as raised:
        _raised(channel, raised)
        return None
    channel.send([RESULT, None])
    return made


def _call(channel: Channel, runner: asyncio.Runner, made: object) -> None:
    try:
        method, arguments = channel.receive()
        result = getattr(made, method)(**arguments)
        if inspect.isawaitable(result):
            result = runner.run(_awaited(result))
        if isinstance(result, AsyncIterator):
            result = _steps(runner, result)
        if isinstance(result, Iterator):
            _stream(channel, result)
        else:
            channel.send([RESULT, result])
    except Closed:
        raise
    except Exception as raised:
        _raised(channel, raised)


def _stream(channel: Channel, pieces: Iterator[Any]) -> None:
    """Compute each piece only when it is asked for, so that whoever loses interest can say so."""
    channel.send([STREAM, None])
    try:
        while channel.receive():
            try:
                piece = next(pieces)
            except StopIteration:
                channel.send([END, None])
                return
            channel.send([RESULT, piece])
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


def _steps(runner: asyncio.Runner, pieces: AsyncIterator[Any]) -> Iterator[Any]:
    try:
        while True:
            try:
                yield runner.run(_awaited(anext(pieces)))
            except StopAsyncIteration:
                return
    finally:
        aclose = getattr(pieces, "aclose", None)
        if aclose is not None:
            runner.run(aclose())


async def _awaited(awaitable: Any) -> Any:  # noqa: ANN401 - the author's
    return await awaitable


def _raised(channel: Channel, raised: Exception) -> None:
    """Send an exception as it is, or what it says where it cannot be sent."""
    told = "".join(traceback.format_exception(raised))
    try:
        raised.add_note(f"raised in a replica:\n{told}")
        # Not every exception that can be pickled can be read again.
        cloudpickle.loads(cloudpickle.dumps(raised))
        channel.send([RAISED, raised])
    except Closed:
        raise
    except Exception:
        channel.send([RAISED, ReplicaFailed(told)])
