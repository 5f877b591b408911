"""A Secret is created once, and again only while its service is not ready."""

from __future__ import annotations

from typing import Any

import pytest
from modelwright_operator.cluster import errors
from modelwright_operator.cluster.cache import Key
from modelwright_operator.cluster.tokens import AGAIN_SECONDS, Tokens

KEY = Key("ns", "m")


class Server:
    """The one request that is made, and nothing else."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.asked = 0
        self.forbidden = False

    async def create(self, resource: Any, namespace: str, body: Any) -> dict[str, Any]:
        self.asked += 1
        if self.forbidden:
            raise errors.Forbidden("create secrets in ns: no", code=403)
        name = body["metadata"]["name"]
        if name in self.names:
            raise errors.Conflict("exists", code=409)
        self.names.add(name)
        return {}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def secret(name: str = "m-ray-1") -> dict[str, Any]:
    return {"metadata": {"name": name}}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(server: Server, clock: Clock) -> Tokens:
    return Tokens(server, clock=clock)  # type: ignore[arg-type]


async def test_a_settled_service_costs_one_request_for_each_process(
    tokens: Tokens, server: Server, clock: Clock
) -> None:
    server.names = {"m-ray-1"}
    for _ in range(3):
        await tokens.ensure(KEY, secret(), settled=True)
        clock.now += 1000
    assert server.asked == 1


async def test_one_that_was_deleted_is_back_while_the_service_is_not_ready(
    tokens: Tokens, server: Server, clock: Clock
) -> None:
    await tokens.ensure(KEY, secret(), settled=False)
    server.names.clear()
    await tokens.ensure(KEY, secret(), settled=False)
    assert not server.names
    clock.now += AGAIN_SECONDS
    await tokens.ensure(KEY, secret(), settled=False)
    assert server.names == {"m-ray-1"}


async def test_a_service_made_anew_has_one_of_its_own(tokens: Tokens, server: Server) -> None:
    await tokens.ensure(KEY, secret(), settled=True)
    await tokens.ensure(KEY, secret("m-ray-2"), settled=True)
    assert server.names == {"m-ray-1", "m-ray-2"}


async def test_a_refusal_is_not_remembered_as_done(tokens: Tokens, server: Server) -> None:
    server.forbidden = True
    with pytest.raises(errors.Forbidden):
        await tokens.ensure(KEY, secret(), settled=True)
    server.forbidden = False
    await tokens.ensure(KEY, secret(), settled=True)
    assert server.names == {"m-ray-1"}
