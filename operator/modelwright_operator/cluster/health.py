"""The operator's probes: `/healthz` answers while the loop turns, `/readyz` once the caches are warm."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def probes(*, port: int, alive: Callable[[], str | None], ready: Callable[[], str | None]) -> AsyncIterator[None]:
    """Serve the probes on all addresses while the context lasts.

    Args:
        port: to listen on.
        alive: returns what is wrong, or None.
        ready: returns what is missing, or None. A standby with warm caches is ready.

    Raises:
        OSError: the port is taken.
    """

    def answer(check: Callable[[], str | None]) -> web.Response:
        problem = check()
        return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)

    async def healthz(_: web.Request) -> web.Response:
        return answer(alive)

    async def readyz(_: web.Request) -> web.Response:
        return answer(ready)

    application = web.Application()
    application.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz)])
    runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, port=port).start()
        yield
    finally:
        await runner.cleanup()
