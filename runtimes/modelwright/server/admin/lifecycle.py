"""Models loaded and unloaded while the server runs: what one process does about it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from time import perf_counter
from typing import Final

from modelwright.errors import ModelNotFound, ModelNotReady
from modelwright.model import Execution, Repository
from modelwright.server import log
from modelwright.server.admin.counted import Counted


class State(Enum):
    """A model's state, in the words of Triton's repository extension."""

    READY = "READY"
    LOADING = "LOADING"
    UNLOADING = "UNLOADING"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(slots=True)
class _Entry:
    model: Counted
    state: State | None = None
    reason: str = ""


class Lifecycle:
    """The models that the server was started with, loaded or not; those that are not are not in the repository.

    So a request for one is answered as kserve and MLServer answer it, 404, and readiness is that of the others.
    """

    def __init__(self, repository: Repository, grace: float, note: Callable[[str, float], None]) -> None:
        """Take the repository's models over, counted.

        `grace` is the seconds that requests get when one is unloaded; `note` is told how many seconds each load took.
        """
        self._note = note
        self._repository = repository
        self._entries: Final = {model.name: _Entry(Counted(model)) for model in repository}
        for entry in self._entries.values():
            repository.add(entry.model)
        self._grace = grace
        self._execution: Execution | None = None
        self._one_at_a_time = asyncio.Lock()

    def bind(self, execution: Execution) -> None:
        """Take the place where the synchronous code of models that are loaded from now on is to run."""
        self._execution = execution

    def check(self, name: str) -> None:
        """Raise ModelNotFound for a name that is no model's, loaded or not."""
        if name not in self._entries:
            known = ", ".join(map(repr, self._entries))
            raise ModelNotFound(f"the server was not started with a model {name!r}; it knows {known}")

    def index(self, *, ready_only: bool) -> list[dict[str, str]]:
        """List the models as Triton's repository index does."""
        listed = []
        for name, entry in self._entries.items():
            state = entry.state or (State.READY if entry.model.ready else State.UNAVAILABLE)
            if state is State.READY or not ready_only:
                versions = entry.model.metadata().versions
                version = versions[-1] if versions else ""
                listed.append({"name": name, "version": version, "state": state.value, "reason": entry.reason})
        return listed

    async def load(self, name: str) -> None:
        """Load a model, unless it is loaded and ready.

        Raises:
            ModelNotFound: no model has that name.
            ModelNotReady: it did not load; why is in the log.

        """
        self.check(name)
        async with self._one_at_a_time:
            entry = self._entries[name]
            if name in self._repository.names and entry.model.ready:
                return
            entry.state, entry.reason = State.LOADING, ""
            try:
                begun = perf_counter()
                await entry.model.load()
                self._note(name, perf_counter() - begun)
                if not entry.model.ready:
                    raise ModelNotReady(f"model {name!r} is not ready after load(); load() must set self.ready = True")
            except Exception as error:
                entry.state, entry.reason = State.UNAVAILABLE, f"load failed: {type(error).__name__}"
                log.LOGGER.exception("model %r did not load", name)
                raise ModelNotReady(
                    f"model {name!r} did not load: {type(error).__name__}; the server's log has the traceback"
                ) from error
            if self._execution is not None:
                entry.model.bind(self._execution)
            self._repository.add(entry.model)
            entry.state = None
            log.LOGGER.info("loaded %r", name)

    async def unload(self, name: str) -> None:
        """Take a model out of service, wait for its requests, and unload it; nothing where it is unloaded already.

        Raises:
            ModelNotFound: no model has that name.
            ModelNotReady: it is out of service, but its code raised while it was unloaded.

        """
        self.check(name)
        async with self._one_at_a_time:
            if name not in self._repository.names:
                return
            entry = self._entries[name]
            self._repository.remove(name)
            entry.state, entry.reason = State.UNLOADING, ""
            if not await entry.model.idle(self._grace):
                log.LOGGER.error("%r is unloaded under requests that had not ended after %g s", name, self._grace)
            self._give_back(name, entry)

    def shed(self, name: str) -> None:
        """Unload a model in a process that serves nobody and only forks those that do."""
        if name in self._repository.names:
            self._repository.remove(name)
            try:
                self._give_back(name, self._entries[name])
            except ModelNotReady as error:
                log.LOGGER.warning("in the workers' parent: %s", error.message)

    def missing(self, wanted: frozenset[str]) -> list[str]:
        """Give those of the wanted models that are not loaded here."""
        return [name for name in self._entries if name in wanted and name not in self._repository.names]

    @staticmethod
    def _give_back(name: str, entry: _Entry) -> None:
        entry.state, entry.reason = State.UNAVAILABLE, "unloaded"
        try:
            entry.model.unload()
        except Exception as error:
            log.LOGGER.exception("model %r raised while it was unloaded", name)
            raise ModelNotReady(
                f"model {name!r} is out of service, but its code raised {type(error).__name__} while it was unloaded; "
                "the server's log has the traceback"
            ) from error
        finally:
            _free_memory()
        log.LOGGER.info("unloaded %r", name)


def _free_memory() -> None:
    """Collect cycles, among what was frozen after the start too, and hand free pages back to the system."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    # glibc keeps what was freed for the next allocation; other C libraries have no such function.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
