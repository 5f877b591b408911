"""Authors' `async def` that never waits, as a plain function."""

from __future__ import annotations

from collections.abc import Generator
from types import CodeType

from modelwright.styles.mlserver.foreign import Foreign


class Waited(Exception):
    """A method that was taken for one that never waits did, or wanted the event loop."""


class Computed:
    """An `async def` that never waits, as a plain function."""

    def __init__(self, method: Foreign, code: CodeType) -> None:
        self.method = method
        # What the server tells functions apart by, to know which are fast.
        self.__code__ = code

    def __call__(self, *arguments: Foreign) -> Foreign:
        """Run it to its end.

        Raises:
            Waited: it wanted to wait.

        """
        return run(self.method(*arguments))


class _Returned:
    """What a coroutine returned: awaited, it is what the one that awaits it waits for."""

    def __init__(self, value: Foreign) -> None:
        self.value = value

    def __await__(self) -> Generator[Foreign, None, None]:
        yield self


async def _to_its_end(coroutine: Foreign) -> None:
    # Not returned: raising StopIteration and catching it costs more than all else here.
    await _Returned(await coroutine)


def run(coroutine: Foreign) -> Foreign:
    """Run a coroutine to its end. Raises Waited where it wants to wait."""
    try:
        step = _to_its_end(coroutine).send(None)
    except RuntimeError as error:
        if "running event loop" in str(error):
            raise Waited from error
        raise
    if isinstance(step, _Returned):
        return step.value
    coroutine.close()
    raise Waited
