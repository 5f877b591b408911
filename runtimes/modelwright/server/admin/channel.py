"""A worker's side of `control`: it does what the parent says, and asks it to have all workers do something."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from typing import Any, Final

from modelwright.errors import InferenceError, ModelNotReady
from modelwright.server import log
from modelwright.server.admin.control import MESSAGE_BYTES, Verb, send
from modelwright.server.admin.lifecycle import Lifecycle

_ERROR: Final = 1000


class Channel:
    """One worker's end."""

    def __init__(self, end: socket.socket, lifecycle: Lifecycle) -> None:
        self._end = end
        self._lifecycle = lifecycle
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[str | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self) -> None:
        """Do from now on what the parent says."""
        asyncio.get_running_loop().add_reader(self._end, self._read)

    async def apply(self, verb: Verb, name: str) -> None:
        """Have every worker load or unload a model.

        Raises:
            ModelNotReady: not every worker has, and what has become of it.

        """
        number = next(self._numbers)
        answered = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            if not send(self._end, {"ask": number, "verb": verb, "name": name}):
                raise ModelNotReady("the server is stopping")
            error = await answered
        finally:
            del self._asked[number]
        if error is not None:
            raise ModelNotReady(error)

    def _read(self) -> None:
        try:
            text = self._end.recv(MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            text = b""
        if not text:
            # The parent has gone; `Process` ends the worker.
            asyncio.get_running_loop().remove_reader(self._end)
            return
        self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        if "do" in message:
            task = asyncio.ensure_future(self._do(message["do"], message["name"]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        answered = self._asked.get(message["answer"])
        if answered is not None and not answered.done():
            answered.set_result(message["error"])

    async def _do(self, verb: Verb, name: str) -> None:
        error = None
        try:
            await (self._lifecycle.load(name) if verb == "load" else self._lifecycle.unload(name))
        except InferenceError as refused:
            error = refused.message[:_ERROR]
        except Exception:
            log.LOGGER.exception("%s of %r failed", verb, name)
            error = f"{verb} of {name!r} failed; the server's log has the reason"
        send(self._end, {"done": verb, "error": error})
