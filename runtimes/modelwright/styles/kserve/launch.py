"""From what an entry point gives to `start()` to the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from modelwright.server import Arguments, run
from modelwright.styles.kserve.adapter import KServeModel
from modelwright.styles.kserve.foreign import Foreign
from modelwright.styles.kserve.twins.errors import NoModelReady
from modelwright.styles.kserve.twins.logging import logger


def named(models: Foreign) -> Iterator[tuple[str, Any]]:
    """Yield each model with its name; raises RuntimeError for what is neither a list nor a mapping."""
    if isinstance(models, list | tuple):
        yield from ((getattr(model, "name", ""), model) for model in models)
    elif isinstance(models, Mapping):
        for name, given in models.items():
            yield name, _instance(name, given)
    else:
        raise RuntimeError("Unknown model collection type")


def _instance(name: str, given: Foreign) -> Foreign:
    # A Ray deployment holds the author's class; without Ray it is a model of this process.
    kind = getattr(given, "func_or_class", given)
    if not isinstance(kind, type):
        return given
    logger.info("model %r runs in this process and its forked workers, not on Ray; use --workers for more", name)
    try:
        return kind()
    except TypeError as without_name:
        # Both forms are in KServe's documents: __init__(self) and __init__(self, name).
        if "name" not in str(without_name):
            raise
        return kind(name)


def serve(models: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Serve kserve models by name until SIGTERM; raises NoModelReady where there are none."""
    if not models:
        raise NoModelReady([])
    known = {field.name for field in fields(Arguments)}
    given = {name: value for name, value in arguments.items() if name in known}
    run([KServeModel(model, name) for name, model in models.items()], Arguments(**given))
