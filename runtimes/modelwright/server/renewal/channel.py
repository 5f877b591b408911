"""The socket between the process that watches an author's files and the one that serves them.

A line of JSON each way: the server's first, `{"takes": null}` or why it takes over nothing; then each set of changes,
answered with `{"restart": null}` or why the server must start anew.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from typing import Any, Final

from modelwright.model import NotRenewable, Repository
from modelwright.server import log
from modelwright.server.renewal import methods
from modelwright.server.renewal.methods import Renewed

# An author's files, whole.
LIMIT: Final = 64 * 1024 * 1024


def end(number: str) -> socket.socket:
    """Give this process's end of the channel, which an author's own processes do not get."""
    connection = socket.socket(fileno=int(number))
    connection.set_inheritable(False)
    return connection


def refuse(connection: socket.socket, why: str) -> None:
    """Say that each change takes a restart."""
    connection.sendall(_line({"takes": why}))


async def heed(connection: socket.socket, repository: Repository) -> None:
    """Take changes over until the other end is closed, and end the server then: who watched has died."""
    fixed = [model.name for model in repository if not model.renews]
    reader, writer = await asyncio.open_connection(sock=connection, limit=LIMIT)
    writer.write(_line({"takes": f"model {fixed[0]!r} runs in another process" if fixed else None}))
    while line := await reader.readline():
        writer.write(_line({"restart": _taken(json.loads(line), repository)}))
    os.kill(os.getpid(), signal.SIGTERM)


def _taken(files: list[dict[str, Any]], repository: Repository) -> str | None:
    """Take over what changed in files that are imported; give why not, where that cannot be."""
    # Settings say how all is served; code that nobody imported changes nothing.
    known = [each for each in files if not each["path"].endswith(".py") or methods.modules(each["path"])]
    reason = next((each["restart"] for each in known if each["restart"]), None)
    if reason is not None:
        return str(reason)
    if not known:
        return None
    try:
        methods.put([Renewed(each["path"], each["source"], each["put"], each["drop"]) for each in known])
        for model in repository:
            model.renew()
    except NotRenewable as error:
        return str(error)
    except Exception as error:
        log.LOGGER.exception("a change was not taken over")
        return f"{type(error).__name__}: {error}"
    return None


def _line(document: object) -> bytes:
    return json.dumps(document).encode() + b"\n"
