"""Where synchronous handlers run before there is a server. Not compiled: a replica's model is pickled with it."""

from collections.abc import Awaitable, Callable
from typing import Any

from modelwright.styles.kserve.foreign import Foreign

# Runs a synchronous function with its arguments somewhere and gives its result.
Call = Callable[..., Awaitable[Any]]


async def inline(function: Callable[..., Any], *arguments: Foreign) -> Foreign:
    """Run a synchronous handler here and now."""
    return function(*arguments)
