"""Paths to what they ask for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final
from urllib.parse import quote

from modelwright.model import HttpAnswer, OpenAIOperation
from modelwright.server.metrics.families import Protocol


class Action(Enum):
    """What a path asks for."""

    ROOT = auto()
    LIVE = auto()
    READY = auto()
    METRICS = auto()
    OPENAPI = auto()
    DOCS = auto()
    SERVER = auto()
    V1_MODELS = auto()
    V1_MODEL = auto()
    PREDICT = auto()
    EXPLAIN = auto()
    V2_MODELS = auto()
    V2_MODEL = auto()
    V2_MODEL_READY = auto()
    INFER = auto()
    INFER_STREAM = auto()
    GENERATE = auto()
    GENERATE_STREAM = auto()
    OPENAI = auto()
    OPENAI_MODELS = auto()
    OPENAI_MODEL = auto()
    OWN = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """A path, read; `model` is empty where the path names none, `version` None where it names none.

    `own` answers, from headers and body, a route that the model brings itself.
    """

    action: Action
    model: str = ""
    version: str | None = None
    operation: OpenAIOperation | None = None
    own: Callable[[dict[str, str], bytes], Awaitable[HttpAnswer]] | None = None
    # The one HTTP method that the route answers, besides HEAD for GET, and what a POST's request is counted as.
    method: str = field(init=False)
    protocol: Protocol = field(init=False)

    def __post_init__(self) -> None:
        """Work out once what every request of the path asks for."""
        object.__setattr__(self, "method", "POST" if self.action in _RUNS else "GET")
        object.__setattr__(self, "protocol", self._protocol())

    @property
    def openai(self) -> bool:
        """Whether errors are told in OpenAI's form."""
        return self.action in (Action.OPENAI, Action.OPENAI_MODELS, Action.OPENAI_MODEL)

    def _protocol(self) -> Protocol:
        if self.operation is not None:
            return "openai"
        if self.own is not None:
            return "own"
        return "v1" if self.action in (Action.PREDICT, Action.EXPLAIN) else "v2"


STREAMS = frozenset((Action.INFER_STREAM, Action.GENERATE_STREAM))
GENERATES = frozenset((Action.GENERATE, Action.GENERATE_STREAM))
_RUNS = frozenset((Action.PREDICT, Action.EXPLAIN, Action.INFER, Action.OPENAI)) | STREAMS | GENERATES
_FIXED = {
    "/": Route(Action.ROOT),
    "/v1/models": Route(Action.V1_MODELS),
    "/v2": Route(Action.SERVER),
    "/v2/": Route(Action.SERVER),
    "/v2/health/live": Route(Action.LIVE),
    "/v2/health/ready": Route(Action.READY),
    "/metrics": Route(Action.METRICS),
    "/openapi.json": Route(Action.OPENAPI),
    "/docs": Route(Action.DOCS),
    "/v2/models": Route(Action.V2_MODELS),
    "/openai/v1/models": Route(Action.OPENAI_MODELS),
    # kserve's prefix, and what a client has whose base_url ends with this server's /v1.
    **{
        f"{prefix}/v1/{operation.value}": Route(Action.OPENAI, operation=operation)
        for prefix in ("/openai", "")
        for operation in OpenAIOperation
    },
}
_OPENAI_MODEL: Final = "/openai/v1/models/"
# What whoever loads or unloads a model on the ports that serve everybody is told.
REPOSITORY_REMEDY: Final = (
    "models are listed, loaded and unloaded on the admin port only: start the server with --admin_port, "
    "and POST to /v2/repository/index or /v2/repository/models/NAME/load or .../unload there"
)
_KNOWN_PATHS: Final = 1024
_KNOWN_LENGTH: Final = 512
_VERBS = {"predict": Action.PREDICT, "explain": Action.EXPLAIN}
_V2_TAILS = {
    (): Action.V2_MODEL,
    ("ready",): Action.V2_MODEL_READY,
    ("infer",): Action.INFER,
    ("infer_stream",): Action.INFER_STREAM,
    ("generate",): Action.GENERATE,
    ("generate_stream",): Action.GENERATE_STREAM,
}


def route(path: str) -> Route | None:
    """Read a decoded path; None when the server has no such route."""
    fixed = _FIXED.get(path)
    if fixed is not None:
        return fixed
    if path.startswith(_OPENAI_MODEL) and len(path) > len(_OPENAI_MODEL):
        # Clients send a name with a slash as it is.
        return Route(Action.OPENAI_MODEL, path.removeprefix(_OPENAI_MODEL))
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


class Routes:
    """Paths that have been read, so that each is read once; bounded in number and length, since callers choose them."""

    def __init__(self) -> None:
        self.known: dict[str, Route | None] = {}

    def of(self, path: str) -> Route | None:
        """Read a decoded path as `route` does."""
        try:
            return self.known[path]
        except KeyError:
            found = route(path)
        if len(path) <= _KNOWN_LENGTH:
            if len(self.known) >= _KNOWN_PATHS:
                self.known.clear()
            self.known[path] = found
        return found


def missing(path: str) -> str:
    """Say of a path that there is no such route, and what there is."""
    if path.startswith("/v2/repository/"):
        return REPOSITORY_REMEDY
    return f"there is no {shown(path)} here; see /v1/models and /v2/models"


def shown(path: str) -> str:
    """Give a path fit for a log line and an error message: short, and without control characters."""
    return quote(path[:200], safe="/:")
