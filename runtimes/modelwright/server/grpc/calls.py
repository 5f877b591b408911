"""One unary call: its caller, its log line, and what becomes of an exception."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Final, TypeAlias

from modelwright.errors import InferenceError, Overloaded
from modelwright.server import log
from modelwright.server.caller import CALLER, REQUEST_ID_HEADER, Caller
from modelwright.server.grpc.status import code_of
from modelwright.server.grpc.wire.call import Call
from modelwright.server.grpc.wire.status import StatusCode
from modelwright.server.tracing import tracing

Answer: TypeAlias = Callable[[Call], Awaitable[None]]
Method: TypeAlias = Callable[[bytes, Call], Awaitable[bytes]]

REQUEST_ID: Final = REQUEST_ID_HEADER.decode()


def behaviour(method: Method, *, access_log: bool) -> Answer:
    """Return what answers a call with `method`: refusals become statuses, anything else INTERNAL without its text.

    Cancellation passes: the caller has left, or its deadline has passed and it has been told so.
    """

    async def answer(call: Call) -> None:
        caller = caller_of(call)
        code = StatusCode.OK
        try:
            call.answer(await method(call.message or b"", call))
        except InferenceError as error:
            code = code_of(error)
            _refuse(call, caller, error)
        except asyncio.CancelledError:
            code = cancelled(call)
            raise
        except Exception:
            code = StatusCode.INTERNAL
            _fail(call, caller)
        finally:
            caller.count(code.name)

    async def logged(call: Call) -> None:
        begun = perf_counter()
        try:
            await answer(call)
        finally:
            caller = CALLER.get() or Caller([])
            log.access("gRPC", call.path, call.code, caller.request_id, perf_counter() - begun)

    return logged if access_log else answer


def caller_of(call: Call) -> Caller:
    """Make the caller of a call the current one; a request id of its own goes back to it."""
    given = call.head.headers.get(REQUEST_ID)
    caller = Caller([] if given is None else [(REQUEST_ID_HEADER, given.encode())])
    CALLER.set(caller)
    if given is not None and caller.given_id is not None:
        call.trailing_metadata = [(REQUEST_ID, caller.request_id)]
    return caller


def cancelled(call: Call) -> StatusCode:
    """Return what a cancelled call's caller sees: that its deadline has passed, or nothing, since it has left."""
    return StatusCode.DEADLINE_EXCEEDED if call.late else StatusCode.CANCELLED


def _refuse(call: Call, caller: Caller, error: InferenceError) -> None:
    trailing = [] if caller.given_id is None else [(REQUEST_ID, caller.request_id)]
    if isinstance(error, Overloaded):
        trailing.append(("retry-after", str(max(1, round(error.retry_after)))))
    call.refuse(code_of(error), error.message, trailing)


def _fail(call: Call, caller: Caller) -> None:
    """Log the author's exception whole, and tell the caller only where to look for it."""
    tracing.record(sys.exception())
    log.LOGGER.exception("%s failed, requestId: %s", call.path, caller.request_id)
    message = f"the model failed on this request; its server's log has the reason under {caller.request_id}"
    call.refuse(StatusCode.INTERNAL, message, [(REQUEST_ID, caller.request_id)])
