"""Authors' methods: all are `async def`, and most of them compute without ever waiting.

MLServer runs them in worker processes, so that its health does not hang with them. Here one that cannot wait runs
where synchronous code does, and only one that may wait on the event loop.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Final

from modelwright.model import Execution
from modelwright.server import log
from modelwright.styles.mlserver.computed import Computed, Waited
from modelwright.styles.mlserver.foreign import Foreign

_WAITS: Final = frozenset({"GET_AWAITABLE", "GET_ANEXT", "GET_AITER", "BEFORE_ASYNC_WITH", "SEND"})
_LOOPS: Final = ("asyncio", "anyio", "trio", "uvloop")
_DECORATORS: Final = ("modelwright.styles.mlserver.library.codecs.decorator", "mlserver.codecs.decorator")


class Call:
    """One method of an author's, called the way that it needs.

    `coroutine` is an `async def` that never waits as a plain function whose result is no awaitable; None for all else.
    """

    def __init__(self, name: str, method: Foreign) -> None:
        """Take a bound method; `name` is what the log calls it."""
        self._name = name
        self._method = method
        self._plain = not inspect.iscoroutinefunction(method)
        self._computed: Callable[..., Foreign] | None = method if self._plain else None
        code = body(method)
        self.coroutine: Computed | None = None
        if code is not None and not self._plain and never_waits(code, method):
            self._computed = self.coroutine = Computed(method, code)

    @property
    def computed(self) -> Callable[..., Foreign] | None:
        """The method as a plain function; None where it may wait."""
        return self._computed

    async def __call__(self, execution: Execution | None, *arguments: Foreign) -> Foreign:
        """Give the method's result; without an execution, before the server serves, it runs at once."""
        if self._computed is not None and execution is not None:
            try:
                result = await execution.call(self._computed, *arguments)
            except Waited:
                self.waits()
                return await self._method(*arguments)
            # A plain method may return what is still to be awaited, one that has been computed has been.
            return await result if self._plain and inspect.isawaitable(result) else result
        result = self._method(*arguments)
        return await result if inspect.isawaitable(result) else result

    def waits(self) -> None:
        """Run a method that raised Waited on the event loop from now on."""
        log.LOGGER.warning("%s waits for the event loop, where it runs from now on", self._name)
        self._computed = self.coroutine = None


def body(method: Foreign) -> CodeType | None:
    """Return the code that an author wrote: of a method under `decode_args`, the method's own."""
    function = getattr(method, "__func__", method)
    if getattr(function, "__globals__", {}).get("__name__") in _DECORATORS:
        function = getattr(function, "__wrapped__", function)
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None


def never_waits(code: CodeType, method: Foreign) -> bool:
    """Say whether code has no `await` in it, and nothing of the event loop's that would need one to run."""
    if any(each.opname in _WAITS for each in dis.get_instructions(code)):
        return False
    function = getattr(method, "__func__", method)
    known = getattr(getattr(function, "__wrapped__", function), "__globals__", {})
    return not any(_of_a_loop(known.get(name)) or name in _LOOPS for name in code.co_names)


def _of_a_loop(value: object) -> bool:
    module = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] in _LOOPS
