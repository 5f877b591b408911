"""Paths to what they ask for."""

from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import quote


class Action(Enum):
    """What a path asks for."""

    ROOT = auto()
    LIVE = auto()
    READY = auto()
    SERVER = auto()
    V1_MODELS = auto()
    V1_MODEL = auto()
    PREDICT = auto()
    EXPLAIN = auto()
    V2_MODELS = auto()
    V2_MODEL = auto()
    V2_MODEL_READY = auto()
    INFER = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """A path, read; `model` is empty where the path names none, `version` None where it names none."""

    action: Action
    model: str = ""
    version: str | None = None

    @property
    def method(self) -> str:
        """The one HTTP method that the route answers, besides HEAD for GET."""
        return "POST" if self.action in (Action.PREDICT, Action.EXPLAIN, Action.INFER) else "GET"


_FIXED = {
    "/": Route(Action.ROOT),
    "/v1/models": Route(Action.V1_MODELS),
    "/v2": Route(Action.SERVER),
    "/v2/": Route(Action.SERVER),
    "/v2/health/live": Route(Action.LIVE),
    "/v2/health/ready": Route(Action.READY),
    "/v2/models": Route(Action.V2_MODELS),
}
_VERBS = {"predict": Action.PREDICT, "explain": Action.EXPLAIN}
_V2_TAILS = {(): Action.V2_MODEL, ("ready",): Action.V2_MODEL_READY, ("infer",): Action.INFER}


def route(path: str) -> Route | None:
    """Read a decoded path; None when the server has no such route."""
    fixed = _FIXED.get(path)
    if fixed is not None:
        return fixed
    if path.startswith("/v1/models/"):
        return _v1(path.removeprefix("/v1/models/"))
    if path.startswith("/v2/models/"):
        return _v2(path.removeprefix("/v2/models/").split("/"))
    return None


def _v1(rest: str) -> Route | None:
    if not rest or "/" in rest:
        return None
    name, colon, verb = rest.rpartition(":")
    if not colon:
        return Route(Action.V1_MODEL, rest)
    action = _VERBS.get(verb)
    return Route(action, name) if action and name else None


def _v2(parts: list[str]) -> Route | None:
    name, tail, version = parts[0], tuple(parts[1:]), None
    if len(tail) >= 2 and tail[0] == "versions":
        version, tail = tail[1], tail[2:]
    action = _V2_TAILS.get(tail)
    return Route(action, name, version) if action and name and version != "" else None


def shown(path: str) -> str:
    """Give a path fit for a log line and an error message: short, and without control characters."""
    return quote(path[:200], safe="/:")
