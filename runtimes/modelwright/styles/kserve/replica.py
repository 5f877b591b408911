"""What Ray Serve's replica of a kserve model does for our server besides its `__call__`: pieces and OpenAI requests.

Its calls are all generators, since Ray tells before a call whether its answer comes in pieces.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from modelwright.model import OpenAIOperation
from modelwright.styles.kserve import openai
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.handlers import Chain
from modelwright.styles.kserve.inline import inline
from modelwright.styles.kserve.pieces import pieces

# An OpenAI answer that is whole, and one of several chunks.
WHOLE, CHUNK = "whole", "chunk"


def offers(user: Foreign) -> dict[str, Any]:
    """Say whether the last handler yields its answer, and which OpenAI operations there are methods for."""
    last = [getattr(user, name, None) for name in ("postprocess", "predict")]
    yields = any(inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each) for each in last)
    return {"yields": yields, "openai": [each.value for each in openai.operations(user)]}


async def answer(user: Foreign, payload: Foreign, headers: dict[str, str]) -> AsyncIterator[tuple[Any, dict[str, str]]]:
    """Yield what the handlers yield, or return, each with the headers that they have set."""
    result, sent = await Chain(user).run(inline, payload, headers)
    async with aclosing(pieces(inline, result)) as source:
        async for piece in source:
            yield piece, sent


async def ask(
    user: Foreign, operation: str, payload: dict[str, Any], headers: dict[str, str]
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Yield an OpenAI answer whole, or its chunks."""
    result = await openai.ask(user, inline, OpenAIOperation(operation), payload, headers)
    if not isinstance(result, AsyncIterator):
        yield WHOLE, result
        return
    try:
        async for chunk in result:
            yield CHUNK, chunk
    finally:
        aclose = getattr(result, "aclose", None)
        if aclose is not None:
            await aclose()
