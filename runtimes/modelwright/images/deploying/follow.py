"""Waiting for an object to be Ready, saying each condition as it changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from modelwright.images.errors import ImageError

Object = dict[str, Any]
_STALLED: Final = "Stalled"
"""A condition that both kinds have only while they will not get better by themselves."""
_NEW_BUILD_SECONDS: Final = 120.0
"""How long the failure of a build from before may still be told of, after a change has been applied."""


def follow(
    states: Iterable[Object],
    what: str,
    seconds: float,
    say: Callable[[str], None],
    *,
    before: str = "",
    done: Callable[[Object], bool] = lambda _: True,
) -> Object:
    """Give the object's first state that is Ready and of which `done` is true.

    `before` is the build that was the latest when a change was applied: that it failed is said, and waited over.

    Raises:
        ImageError: it says that it failed, with the failing condition's words, or it was not Ready in time.

    """
    said: dict[str, str] = {}
    latest: Object = {}
    patience = time.monotonic() + _NEW_BUILD_SECONDS
    for state in states:
        latest = state
        for type_, text in told(state).items():
            if said.get(type_) != text:
                said[type_] = text
                say(f"{what}: {type_} {text}")
        of_before = bool(before) and (state.get("status") or {}).get("latestBuild") == before
        if failure := failed(state):
            if not of_before or time.monotonic() > patience:
                raise ImageError(failure)
        elif ready(state) and done(state):
            return state
    left = "; ".join(f"{type_} {text}" for type_, text in told(latest).items() if not text.startswith("True"))
    raise ImageError(f"{what} is not ready after {seconds:.0f} s: {left or 'the operator has not said anything of it'}")


def told(state: Mapping[str, Any]) -> dict[str, str]:
    """Give each condition in a few words."""
    found = {}
    for each in _conditions(state).values():
        message = str(each.get("message") or "").strip()
        reason = str(each.get("reason") or "")
        told_of = f" {reason}" if reason and reason != each["type"] else ""
        found[each["type"]] = f"{each['status']}{told_of}{f': {message}' if message else ''}"
    return found


def ready(state: Mapping[str, Any]) -> bool:
    """Say whether this generation is Ready."""
    return _seen(state) and str(_conditions(state).get("Ready", {}).get("status")) == "True"


def failed(state: Mapping[str, Any]) -> str:
    """Give what failed for good in this generation, with its last lines; nothing where it may yet get better."""
    conditions = _conditions(state)
    if not _seen(state) or conditions.get(_STALLED, {}).get("status") != "True":
        return ""
    failing = [each for each in conditions.values() if each["status"] == "False" and each["type"] != "Ready"]
    worst = failing[0] if failing else conditions[_STALLED]
    named = f"{state['kind']} {state['metadata']['name']}"
    return f"{named}: {worst['type']} failed ({worst.get('reason', '')}):\n{worst.get('message', '')}"


def _seen(state: Mapping[str, Any]) -> bool:
    observed = (state.get("status") or {}).get("observedGeneration") or 0
    return bool(observed >= state["metadata"].get("generation", 0))


def _conditions(state: Mapping[str, Any]) -> dict[str, Object]:
    return {each["type"]: each for each in (state.get("status") or {}).get("conditions") or []}
