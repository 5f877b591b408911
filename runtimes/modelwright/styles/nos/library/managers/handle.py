"""A handle: an author's class, called by method, on as many replicas as it was scaled to."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Final

from modelwright.scale import memory
from modelwright.scale.replicas import Replicas
from modelwright.styles.nos.library.common.exceptions import InputValidationException
from modelwright.styles.nos.library.common.spec import FunctionSignature, ModelDeploymentSpec, ModelSpec
from modelwright.styles.nos.library.managers.results import Results

# Makes the replicas of a spec; `engine` has the one to use.
Engine = Callable[[ModelSpec, int], Replicas]
_AUTO: Final = "auto"


class ModelHandle:
    """The object that `ModelManager.load` gives: `handle(...)`, `handle.method(...)` and `submit` of either.

    A plain call is replica 0's to do; what is submitted goes to any that is free. Positional arguments are taken by
    the parameters' order. `_method` names the method, `_stream` asks for an iterator.
    """

    def __init__(
        self,
        spec: ModelSpec,
        deployment: ModelDeploymentSpec | None = None,
        *,
        num_replicas: int | str = 1,
        engine: Engine | None = None,
    ) -> None:
        self.spec = spec
        self.deployment = deployment or ModelDeploymentSpec()
        wanted = deployment.num_replicas if deployment else num_replicas
        self._replicas = (engine or _replicas)(spec, 1 if wanted == _AUTO else _count(wanted))
        if wanted == _AUTO:
            self.scale(_AUTO)
        self.results = Results(lambda: 2 * self.num_replicas)
        for name in spec.signature:
            # What a handle has itself is not the author's to replace.
            if not hasattr(type(self), name) and name not in vars(self):
                setattr(self, name, Method(self, name))

    def __repr__(self) -> str:
        return f"ModelHandle(name={self.spec.name}, replicas={self.num_replicas}, qsize={2 * self.num_replicas})"

    @property
    def num_replicas(self) -> int:
        """How many replicas there are."""
        return self._replicas.count

    def __call__(
        self,
        *arguments: object,
        _method: str | None = None,
        _stream: bool = False,
        **keywords: object,
    ) -> Any:  # noqa: ANN401 - the author's
        """Call a method, the default one where none is named, and wait for what it returns.

        Raises:
            InputValidationException: it has no parameter of such a name, or there is no such method.
            ReplicaDied: its replica died in it, twice.
            Exception: whatever it raises.

        """
        result = self._submit(_method, arguments, keywords, on=0).result()
        if _stream and not isinstance(result, Iterator):
            return iter((result,))
        return result

    def submit(self, *arguments: object, _method: str | None = None, **keywords: object) -> str:
        """Have a method called by any replica; give the reference of its result.

        It waits while every replica is at work and another call waits for each. Raises as `__call__` does for names.
        """
        return self.results.add(self._submit(_method, arguments, keywords))

    def get(self, ref: str | None = None, timeout: float | None = None) -> Any:  # noqa: ANN401 - the author's
        """See `Results.get`; `timeout` means nothing, as in NOS."""
        del timeout
        return self.results.get(ref)

    async def async_get(self, ref: str, timeout: float | None = None) -> Any:  # noqa: ANN401, ASYNC109 - as NOS has it
        """See `Results.async_get`."""
        del timeout
        return await self.results.async_get(ref)

    def get_next(self) -> Any:  # noqa: ANN401 - the author's
        """See `Results.get_next`."""
        return self.results.get_next()

    def has_next(self) -> bool:
        """See `Results.has_next`."""
        return self.results.has_next()

    @property
    def pending(self) -> int:
        """How many results are to be fetched."""
        return len(self.results)

    def full(self) -> bool:
        """Tell whether as many results are to be fetched as the queue holds."""
        return len(self.results) >= 2 * self.num_replicas

    def scale(self, replicas: int | str | None = None, num_replicas: int | str | None = None) -> ModelHandle:
        """Have so many replicas; "auto" has as many as memory and processors let run at one time.

        Raises:
            ValueError: it is no whole number from 1 on.
            Exception: what the author's constructor raises.

        """
        wanted = num_replicas if replicas is None else replicas
        self._replicas.scale(self._fitting() if wanted == _AUTO else _count(wanted))
        return self

    def cleanup(self) -> None:
        """End the replicas."""
        self._replicas.close()

    def _fitting(self) -> int:
        from modelwright.server.cgroup import cpu_limit  # noqa: PLC0415 - only "auto" pays for it

        weight = self._replicas.weight()
        # What runs already is not free any more, and would be, were it not running.
        others = (self.num_replicas - 1) * weight
        free, processors = self._replicas.room()
        return memory.replicas(weight, free + others, cpu_limit() if processors is None else processors)

    def _submit(
        self, method: str | None, arguments: tuple[object, ...], keywords: dict[str, object], on: int | None = None
    ) -> Future[Any]:
        name = method or self.spec.default_method
        signature = self.spec.signature.get(name)
        if signature is None:
            raise InputValidationException(f"{self.spec.id} has no method {name!r}: {', '.join(self.spec.signature)}")
        inputs = FunctionSignature.validate({**_named(signature, arguments), **keywords}, signature.parameters)
        return self._replicas.submit(name, inputs, on=on)


class Method:
    """One method of a handle."""

    def __init__(self, handle: ModelHandle, name: str) -> None:
        self._handle = handle
        self._name = name

    def __call__(self, *arguments: object, **keywords: Any) -> Any:  # noqa: ANN401 - the author's
        """See `ModelHandle.__call__`."""
        return self._handle(*arguments, **{**keywords, "_method": self._name})

    def submit(self, *arguments: object, **keywords: Any) -> str:  # noqa: ANN401 - the author's
        """See `ModelHandle.submit`."""
        return self._handle.submit(*arguments, **{**keywords, "_method": self._name})


def _replicas(spec: ModelSpec, count: int) -> Replicas:
    try:
        # Serving does without; only handles need what it imports.
        from modelwright.styles.nos import engine  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"replicas need {error.name}: pip install 'modelwright[nos]'", name=error.name
        ) from error
    return engine.replicas(spec, count)


def _named(signature: FunctionSignature, arguments: tuple[object, ...]) -> dict[str, object]:
    # NOS drops positional arguments without a word.
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [name for name, each in signature.parameters.items() if name != "self" and each.kind in positional]
    if len(arguments) > len(names):
        raise InputValidationException(f"{signature.method} takes {len(names)} inputs, not {len(arguments)}")
    return dict(zip(names, arguments, strict=False))


def _count(wanted: object) -> int:
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise ValueError(f'{wanted!r} replicas: give a whole number from 1 on, or "auto"')
    return wanted
