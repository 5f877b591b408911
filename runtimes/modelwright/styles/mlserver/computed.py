"""Authors' `async def` that never waits, as a plain function."""

from __future__ import annotations

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


def run(coroutine: Foreign) -> Foreign:
    """Run a coroutine to its end. Raises Waited where it wants to wait."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    except RuntimeError as error:
        if "running event loop" in str(error):
            raise Waited from error
        raise
    coroutine.close()
    raise Waited
