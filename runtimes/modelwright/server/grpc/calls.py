"""One gRPC call: its caller, its log line, and what becomes of an exception."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TypeAlias

import grpc

from modelwright.errors import InferenceError, Overloaded
from modelwright.server import log
from modelwright.server.caller import CALLER, REQUEST_ID_HEADER, Caller
from modelwright.server.grpc.metadata import headers_of
from modelwright.server.grpc.status import code_of
from modelwright.server.tracing import tracing

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Behaviour: TypeAlias = Callable[[bytes, Context], Awaitable[bytes]]
Method: TypeAlias = Callable[[bytes, dict[str, str], Context], Awaitable[bytes]]

_REQUEST_ID = REQUEST_ID_HEADER.decode()


def behaviour(path: str, method: Method, *, access_log: bool) -> Behaviour:
    """Return what grpc is to call for `method`: refusals become statuses, anything else INTERNAL without its text.

    Cancellation passes: the caller has left, or its deadline has passed and grpc has told it so.
    """

    async def answer(message: bytes, context: Context) -> bytes:
        headers = headers_of(context.invocation_metadata())
        given = headers.get(_REQUEST_ID)
        caller = Caller([] if given is None else [(REQUEST_ID_HEADER, given.encode())])
        CALLER.set(caller)
        if caller.given_id is not None:
            context.set_trailing_metadata(((_REQUEST_ID, caller.request_id),))
        code = grpc.StatusCode.OK
        try:
            return await method(message, headers, context)
        except InferenceError as error:
            code = code_of(error)
            return await _refuse(context, caller, error)
        except asyncio.CancelledError:
            code = cancelled(context)
            raise
        except Exception:
            code = grpc.StatusCode.INTERNAL
            return await _fail(context, caller, path)
        finally:
            caller.count(code.name)

    async def logged(message: bytes, context: Context) -> bytes:
        begun = perf_counter()
        try:
            return await answer(message, context)
        finally:
            caller = CALLER.get() or Caller([])
            log.access("gRPC", path, _number(context.code()), caller.request_id, perf_counter() - begun)

    return logged if access_log else answer


def cancelled(context: Context) -> grpc.StatusCode:
    """Return what a cancelled call's caller sees: that its deadline has passed, or nothing, since it has left."""
    remaining = context.time_remaining()
    late = remaining is not None and remaining <= 0
    return grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED


def _number(code: object) -> int:
    """Return a status as a number; a call that has not been aborted has 0, which is OK."""
    if isinstance(code, grpc.StatusCode):
        number: int = code.value[0]
        return number
    return code if isinstance(code, int) else 0


async def _refuse(context: Context, caller: Caller, error: InferenceError) -> bytes:
    trailing = [] if caller.given_id is None else [(_REQUEST_ID, caller.request_id)]
    if isinstance(error, Overloaded):
        trailing.append(("retry-after", str(max(1, round(error.retry_after)))))
    await context.abort(code_of(error), error.message, tuple(trailing))


async def _fail(context: Context, caller: Caller, path: str) -> bytes:
    """Log the author's exception whole, and tell the caller only where to look for it."""
    tracing.record(sys.exception())
    log.LOGGER.exception("%s failed, requestId: %s", path, caller.request_id)
    message = f"the model failed on this request; its server's log has the reason under {caller.request_id}"
    await context.abort(grpc.StatusCode.INTERNAL, message, ((_REQUEST_ID, caller.request_id),))
