"""One method of an author's class, as requests call it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from modelwright.errors import InvalidInput
from modelwright.model import Execution
from modelwright.styles.nos import hints, inputs
from modelwright.styles.nos.steps import steps
from modelwright.tensors import Tensor

_EMPTY = inspect.Parameter.empty
_ORDERED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Method:
    """The method `name` of `kind`; `bound` is that of the author's object once that is made."""

    def __init__(self, kind: type[Any], name: str, parameters: Mapping[str, inspect.Parameter]) -> None:
        function = inspect.getattr_static(kind, name)
        function = getattr(function, "__func__", function)
        self.name = name
        self.bound: Callable[..., Any] | None = None
        given = {key: each for key, each in parameters.items() if key != "self"}
        known = hints.resolved(function)
        self._ordered = {key: each.default for key, each in given.items() if each.kind in _ORDERED}
        self._named = {key: each.default for key, each in given.items() if each.kind is each.KEYWORD_ONLY}
        self._open = any(each.kind is each.VAR_KEYWORD for each in given.values())
        self._hints = {key: hints.read(known.get(key, Any)) for key in (*self._ordered, *self._named)}
        self.streams = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
        self._async = inspect.iscoroutinefunction(function)

    @property
    def first(self) -> str | None:
        """The parameter that takes what comes without a name."""
        return next(iter(self._hints), None)

    def named(self, name: str) -> str:
        """Give the parameter of that name where there is one, else the first one.

        Raises:
            InvalidInput: it has none.

        """
        if name in self._hints or self._open:
            return name
        if self.first is None:
            raise InvalidInput(f"{self.name} takes no input")
        return self.first

    def hint(self, name: str) -> hints.Hint:
        """Give what a parameter admits; raises InvalidInput where there is none of that name."""
        return self._hint(name)

    def of_tensors(self, tensors: Iterable[Tensor]) -> dict[str, Any]:
        """Give the arguments that tensors are; raises InvalidInput for one that is of no fitting type."""
        return {each.name: inputs.of_tensor(each, self._hint(each.name)) for each in tensors}

    def of_json(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Give the arguments that JSON values are; raises as `of_tensors` does."""
        return {name: inputs.of_json(value, self._hint(name), name) for name, value in values.items()}

    async def call(self, execution: Execution, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - the author's
        """Call it; of a generator, whose pieces are all computed, text is joined and other pieces are a list.

        Raises:
            InvalidInput: an argument that it needs is missing.
            Exception: whatever it raises.

        """
        if self.streams:
            pieces = [piece async for piece in self.pieces(execution, arguments)]
            return "".join(pieces) if pieces and all(isinstance(each, str) for each in pieces) else pieces
        ordered, named = self._placed(arguments)
        assert self.bound is not None, "load() comes before the first request"  # noqa: S101
        if self._async:
            return await self.bound(*ordered, **named)
        # Without keywords the function itself is called, which `Execution` knows the pace of.
        return await execution.call(partial(self.bound, **named) if named else self.bound, *ordered)

    def pieces(self, execution: Execution, arguments: dict[str, Any]) -> AsyncIterator[Any]:
        """Call a generator method; give what it yields as it is computed. Raises InvalidInput as `call` does."""
        ordered, named = self._placed(arguments)
        assert self.bound is not None, "load() comes before the first request"  # noqa: S101
        return steps(execution, self.bound(*ordered, **named))

    def _hint(self, name: str) -> hints.Hint:
        hint = self._hints.get(name)
        if hint is not None:
            return hint
        if self._open:
            return hints.ANYTHING
        raise InvalidInput(f"{self.name} has no input {name!r}; it takes {', '.join(self._hints) or 'none'}")

    def _placed(self, arguments: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        try:
            if len(arguments) == len(self._ordered) and not self._named:
                return [arguments[name] for name in self._ordered], {}
        except KeyError:
            pass
        rest = dict(arguments)
        ordered = [self._taken(rest, name, default) for name, default in self._ordered.items()]
        for name, default in self._named.items():
            rest[name] = self._taken(rest, name, default)
        return ordered, rest

    def _taken(self, rest: dict[str, Any], name: str, default: object) -> Any:  # noqa: ANN401 - the author's
        value = rest.pop(name, default)
        if value is _EMPTY:
            raise InvalidInput(f"input {name!r} of {self.name} is missing; it takes {', '.join(self._hints)}")
        return value
