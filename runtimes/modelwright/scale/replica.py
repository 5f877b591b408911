"""A replica's own process: it makes its object, then does one call after another until its starter closes the socket.

Frames in: a factory, pickled, then `[method, arguments]`; during a stream `True` for the next piece, `False` for no
more. Frames out: `[kind, value]` with a kind of `Kind`.
"""

from __future__ import annotations

import asyncio
import inspect
import signal
import socket
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Final

import cloudpickle

from modelwright.scale.frames import Channel, Closed
from modelwright.scale.replicas import ReplicaFailed

RESULT: Final = "result"
RAISED: Final = "raised"
STREAM: Final = "stream"
END: Final = "end"


def main(descriptor: int) -> None:
    """Serve the starter at the other end of the inherited socket `descriptor`."""
    # Ctrl-C in a terminal reaches the whole group; the starter says when it is over.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = Channel(socket.socket(fileno=descriptor))
    with asyncio.Runner() as runner:
        try:
            made = _made(channel)
            while made is not None:
                method, arguments = channel.receive()
                _call(channel, runner, getattr(made, method), arguments)
        except Closed:
            return


def _made(channel: Channel) -> object:
    factory: Callable[[], object] = cloudpickle.loads(channel.receive())
    try:
        made = factory()
    except Exception as raised:
        _raised(channel, raised)
        return None
    channel.send([RESULT, None])
    return made


def _call(channel: Channel, runner: asyncio.Runner, method: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    try:
        result = method(**arguments)
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


if __name__ == "__main__":
    main(int(sys.argv[1]))
