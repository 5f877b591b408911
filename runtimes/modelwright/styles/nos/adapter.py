"""An author's class in a ModelSpec as the server sees models: one for the class, and one for each method."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from modelwright.errors import InvalidInput
from modelwright.model import Execution, Model, ModelMetadata, NotRenewable, OwnRoute, Payload, V1Answer
from modelwright.styles.nos import outputs
from modelwright.styles.nos.method import Method
from modelwright.tensors import InferenceRequest, InferenceResponse

_METHOD: Final = "method"


class Instance:
    """One object of an author's class for all models that are served of it, loaded with the first of them.

    `name` is what the class is served as; `methods` are its public ones and `__call__`, the default one first: the
    spec's, or the first of them where that is an underscored one, which a spec takes for its alphabetical order.
    """

    def __init__(self, spec: Any, name: str) -> None:  # noqa: ANN401 - the genuine library's ModelSpec as well as ours
        self.id: str = spec.id
        self.name = name
        self._signature = spec.default_signature
        kind = self._signature.func_or_cls
        public = [each for each in spec.signature if _public(each)]
        if not public:
            raise ValueError(f"class {kind.__name__} has no public method")
        self.methods = {each: Method(kind, each, spec.signature[each].parameters) for each in public}
        self.default = public[0]
        self._made: Any = None
        self._users = 0

    def load(self) -> None:
        """Make the object for its first user; raises whatever its constructor does."""
        if not self._users:
            self._made = self._signature.func_or_cls(*self._signature.init_args, **self._signature.init_kwargs)
            self._bind()
        self._users += 1

    def renew(self) -> None:
        """Look anew at the methods of the author's class; raises NotRenewable where it has others."""
        kind = self._signature.func_or_cls
        there = {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if _public(name)}
        if there != set(self.methods):
            names = ", ".join(sorted(there ^ set(self.methods)))
            raise NotRenewable(f"public methods of {kind.__name__}, each served as a model, came or went: {names}")
        self.methods = {
            name: Method(kind, name, inspect.signature(getattr(kind, name)).parameters) for name in self.methods
        }
        if self._made is not None:
            self._bind()

    def _bind(self) -> None:
        for name, method in self.methods.items():
            method.bound = getattr(self._made, name)

    def unload(self) -> None:
        """Let go of the object with its last user."""
        self._users -= 1
        if not self._users:
            self._made = None
            for method in self.methods.values():
                method.bound = None

    def method(self, name: object) -> Method:
        """Give a method, the default one for None; raises InvalidInput for a name that is none of the class's."""
        found = self.methods.get(self.default if name is None else str(name))
        if found is None:
            raise InvalidInput(f"model {self.name!r} has no method {name!r}; it has {', '.join(self.methods)}")
        return found


def _public(name: str) -> bool:
    return name == "__call__" or not name.startswith("_")


class NosModel(Model):
    """`modelwright.model.Model` over an instance: of one `method` where that is given, else of the one asked for.

    V2 asks by the parameter `method`, V1 by the key `method` beside `instances` or `inputs`; who does not gets the
    default one. A request's inputs are the method's keyword arguments.
    """

    def __init__(self, instance: Instance, method: str | None = None, routes: tuple[OwnRoute, ...] = ()) -> None:
        self._instance = instance
        self._only = method
        self.name = f"{instance.name}.{method}" if method else instance.name
        self.ready = False
        self._metadata = ModelMetadata(self.name, platform="nos")
        self._routes = routes
        self._execution: Execution | None = None

    @property
    def instance(self) -> Instance:
        """The object that it calls, and others do."""
        return self._instance

    @property
    def execution(self) -> Execution:
        """Where synchronous code of the author's runs."""
        assert self._execution is not None, "bind() comes before the first request"  # noqa: S101
        return self._execution

    def metadata(self) -> ModelMetadata:
        """Describe no inputs: a hint may admit several types, and numpy's says neither type nor shape."""
        return self._metadata

    def bind(self, execution: Execution) -> None:
        """Run the author's synchronous code through `execution` from now on."""
        self._execution = execution

    async def load(self) -> None:
        """Make the author's object where no other model of it has; raises whatever its constructor does."""
        self._instance.load()
        self.ready = True

    async def infer(self, request: InferenceRequest) -> InferenceResponse:
        """Call the method with the tensors by name; see `outputs.tensors` for the answer."""
        method = self._method(request.parameters.get(_METHOD))
        value = await method.call(self.execution, method.of_tensors(request.inputs))
        return self._response(request, value)

    async def predict_v1(self, payload: Payload, headers: Mapping[str, str]) -> V1Answer:
        """Call the method with each of `instances`, or with `inputs`, as keyword arguments."""
        if not isinstance(payload, dict):
            raise InvalidInput(
                "the body must be JSON: {'inputs': {name: value}} or {'instances': [{name: value}, ...]}"
            )
        method = self._method(payload.get(_METHOD))
        if "instances" in payload:
            predictions: Any = [await self._predicted(method, each) for each in payload["instances"]]
        elif "inputs" in payload:
            predictions = await self._predicted(method, payload["inputs"])
        else:
            raise InvalidInput("the body has neither 'inputs', {name: value}, nor 'instances', a list of such")
        return V1Answer({"predictions": predictions}, {})

    @property
    def streams(self) -> bool:
        """Whether a method that can be asked for is a generator."""
        methods = self._instance.methods
        return any(method.streams for method in ([methods[self._only]] if self._only else methods.values()))

    async def stream(self, request: InferenceRequest) -> AsyncIterator[InferenceResponse]:
        """Answer with each piece that the method yields, or with its one answer where it is no generator."""
        method = self._method(request.parameters.get(_METHOD))
        arguments = method.of_tensors(request.inputs)
        if not method.streams:
            yield self._response(request, await method.call(self.execution, arguments))
            return
        pieces = method.pieces(self.execution, arguments)
        try:
            async for piece in pieces:
                yield self._response(request, piece)
        finally:
            aclose = getattr(pieces, "aclose", None)
            if aclose is not None:
                await aclose()

    @property
    def own_routes(self) -> tuple[OwnRoute, ...]:
        """NOS's own endpoint, which one model brings for all."""
        return self._routes

    def unload(self) -> None:
        """Let go of the author's object where no other model has it."""
        if self.ready:
            self.ready = False
            self._instance.unload()

    @property
    def renews(self) -> bool:
        """Always: what is loaded is the author's object's."""
        return True

    def renew(self) -> None:
        """Have the object look anew at its methods; see `Instance.renew`."""
        self._instance.renew()

    def _method(self, asked: object) -> Method:
        if self._only is not None and asked not in (None, self._only):
            raise InvalidInput(f"model {self.name!r} is method {self._only!r}; ask model {self._instance.name!r}")
        return self._instance.method(self._only or asked)

    async def _predicted(self, method: Method, values: Any) -> Any:  # noqa: ANN401 - any JSON
        if not isinstance(values, dict):
            if method.first is None:
                raise InvalidInput(f"{method.name} takes no input")
            values = {method.first: values}
        return outputs.plain(await method.call(self.execution, method.of_json(values)))

    def _response(self, request: InferenceRequest, value: Any) -> InferenceResponse:  # noqa: ANN401 - the author's
        return InferenceResponse(self.name, outputs.tensors(value), id=request.id)
