"""A stream out of a Ray actor: each piece is computed when it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import ray
from ray.exceptions import RayError

from modelwright.scale.host import Ended
from modelwright.scale.ray_errors import meant


class RayPieces(Iterator[Any], AsyncIterator[Any]):
    """What a caller iterates over, with `for` or `async for`; to let go of it gives up what has not been computed.

    A piece's future raises what the author's code raised, and ReplicaDied where the replica is no more.
    """

    def __init__(self, actor: Any, number: int, let_go: Callable[[], None]) -> None:  # noqa: ANN401 - Ray's handle
        self._actor = actor
        self._number = number
        self._let_go: Callable[[], None] | None = let_go

    def __next__(self) -> Any:  # noqa: ANN401 - the author's
        if self._let_go is None:
            raise StopIteration
        try:
            piece = ray.get(self._actor.piece.remote(self._number))
        except RayError as error:
            self._over()
            raise meant(error) from error
        if isinstance(piece, Ended):
            self._over()
            raise StopIteration
        return piece

    async def __anext__(self) -> Any:  # noqa: ANN401 - the author's
        if self._let_go is None:
            raise StopAsyncIteration
        try:
            piece = await asyncio.wrap_future(self._actor.piece.remote(self._number).future())
        except RayError as error:
            self._over()
            raise meant(error) from error
        if isinstance(piece, Ended):
            self._over()
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        """Give up the rest."""
        if self._let_go is not None:
            self._actor.leave.remote(self._number)
            self._over()

    async def aclose(self) -> None:
        """Give up the rest."""
        self.close()

    def __del__(self) -> None:
        self.close()

    def _over(self) -> None:
        let_go, self._let_go = self._let_go, None
        if let_go is not None:
            let_go()
