"""What the server needs of a model, whichever style its author wrote it in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, TypeVar

from modelwright.errors import ModelNotFound, NotImplementedByModel
from modelwright.tensors import InferenceRequest, InferenceResponse

Answer = TypeVar("Answer")
# A V1 body: the JSON object, or bytes of a content type that is not JSON's, such as an image.
Payload = dict[str, Any] | bytes


@dataclass(frozen=True, slots=True)
class TensorMetadata:
    """One input or output as a model declares it; -1 in `shape` is any length."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """What `GET /v2/models/{name}` tells; empty `inputs` means that the model declares none.

    Requests are held to `inputs` where these are `binding`; else they only tell a caller what the author had in mind.
    `parameters` is what else there is to know, such as `num_gpus`.
    """

    name: str
    platform: str = ""
    versions: tuple[str, ...] = ()
    inputs: tuple[TensorMetadata, ...] = ()
    outputs: tuple[TensorMetadata, ...] = ()
    binding: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)


class Execution(Protocol):
    """Where a model's synchronous code runs: the server's answer to "not on the event loop"."""

    def call(self, function: Callable[..., Answer], *arguments: object) -> Awaitable[Answer]:
        """Run `function(*arguments)` without holding up the event loop and give its result."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to a route of the model's own: `path_parameters` by the names in its path, headers in lower case."""

    method: str
    path: str
    path_parameters: Mapping[str, str]
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a route of the model's own answers, as it goes out: at once, or piece by piece as the model yields them."""

    status: int
    body: bytes | AsyncIterator[bytes]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OwnRoute:
    """An HTTP route that a model brings besides the protocols'; `path` may have parts such as `{name}`."""

    method: str
    path: str
    answer: Callable[[HttpRequest], Awaitable[HttpAnswer]]


class OpenAIOperation(Enum):
    """What an OpenAI-compatible route asks for; the value is the route's tail."""

    CHAT = "chat/completions"
    COMPLETION = "completions"
    EMBEDDING = "embeddings"


class Model(Protocol):
    """A loaded or loadable model. Every coroutine runs on the server's event loop and must not block it.

    A style's model subclasses this. Methods that it does not offer raise NotImplementedByModel, as those below do
    that have a body.
    """

    name: str
    ready: bool

    def metadata(self) -> ModelMetadata:
        """Describe the model without doing any work."""

    def bind(self, execution: Execution) -> None:
        """Take the place where synchronous code is to run; called in each worker before its first request."""

    async def load(self) -> None:
        """Load what is not loaded yet and set `ready`; called once, before workers fork."""

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Answer a V2 request, from REST and gRPC alike."""

    async def predict_v1(self, payload: Payload, headers: Mapping[str, str]) -> "V1Answer":
        """Answer a V1 `:predict`."""

    async def explain_v1(self, payload: Payload, headers: Mapping[str, str]) -> "V1Answer":
        """Answer a V1 `:explain`."""
        raise NotImplementedByModel(f"model {self.name!r} does not explain")

    @property
    def streams(self) -> bool:
        """Whether `stream` is offered."""
        return False

    def stream(self, request: InferenceRequest) -> AsyncIterator[InferenceResponse]:
        """Answer a V2 request piece by piece; closing the iterator gives up what has not been computed."""
        raise NotImplementedByModel(f"model {self.name!r} does not stream")

    @property
    def openai_operations(self) -> frozenset[OpenAIOperation]:
        """The OpenAI operations that `openai` is offered for."""
        return frozenset()

    async def openai(
        self, operation: OpenAIOperation, payload: dict[str, Any], headers: Mapping[str, str]
    ) -> dict[str, Any] | AsyncIterator[dict[str, Any]]:
        """Answer an OpenAI request, given and answered as its JSON object; an iterator of chunks when it streams.

        The operation is one of `openai_operations`.
        """
        raise NotImplementedByModel(f"model {self.name!r} does not offer {operation.value}")

    @property
    def own_routes(self) -> tuple[OwnRoute, ...]:
        """The HTTP routes that the model brings itself; asked for once, after `load`."""
        return ()

    def unload(self) -> None:
        """Give back what the model holds; called once in each worker after its last request."""

    @property
    def renews(self) -> bool:
        """Whether `renew` is offered."""
        return False

    def renew(self) -> None:
        """Look anew at the author's object, whose class has other methods now, and keep all that is loaded.

        Raises:
            NotRenewable: what the server was told of the model at its start has changed too.

        """
        raise NotRenewable(f"model {self.name!r} runs in another process")


class NotRenewable(Exception):
    """A change of the author's code that only a restart of the server takes over; the message says why."""


@dataclass(slots=True)
class V1Answer:
    """What a V1 method answers: a dict (numpy inside allowed), text or bytes sent as they are, and headers to add."""

    result: Any
    headers: Mapping[str, str]


class Repository:
    """The models of one process, by name."""

    def __init__(self, models: Iterable[Model] = ()) -> None:
        self._models: dict[str, Model] = {}
        for model in models:
            self.add(model)

    def add(self, model: Model) -> None:
        """Serve `model` under its name, in place of one that had it."""
        self._models[model.name] = model

    def remove(self, name: str) -> None:
        """Serve the model called `name` no longer."""
        del self._models[name]

    def get(self, name: str) -> Model:
        """Give the model called `name`.

        Raises:
            ModelNotFound: no model has that name.

        """
        model = self._models.get(name)
        if model is None:
            raise ModelNotFound(f"model {name!r} is not served here; GET /v1/models lists those that are")
        return model

    @property
    def names(self) -> list[str]:
        """The models' names, in the order in which they were given."""
        return list(self._models)

    @property
    def ready(self) -> bool:
        """Whether there is a model and every one of them is ready."""
        return bool(self._models) and all(model.ready for model in self._models.values())

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def __len__(self) -> int:
        return len(self._models)
