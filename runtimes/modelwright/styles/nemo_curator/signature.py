"""A model's entry point and what it takes and gives, by settings first and type hints second."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from modelwright.model import TensorMetadata
from modelwright.styles.catalogue import DiscoveryError
from modelwright.styles.nemo_curator import hints
from modelwright.styles.nemo_curator.hints import Form, Hint
from modelwright.styles.nemo_curator.settings import FILE, Settings

# Of Curator's interface, and no way to infer.
_INTERFACE: Final = frozenset(
    ("setup", "weights_names", "id_file_mapping", "conda_env_name", "num_gpus", "model_id_names")
)
_PREFERRED: Final = ("__call__", "generate")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of the entry point; `positional` where it may be given without its name."""

    name: str
    hint: Hint
    required: bool
    default: Any
    positional: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """The entry point `method`, its arguments, and what is declared to callers; empty where it cannot be said."""

    method: str
    parameters: tuple[Parameter, ...]
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]


def of(kind: type[Any], settings: Settings) -> Signature:
    """Find a class's entry point and read its signature.

    Raises:
        DiscoveryError: there is no entry point, more than one, or settings name what the method does not take.

    """
    method = settings.entrypoint or _entry_point(kind)
    function = _found(kind, method)
    if function is None:
        raise DiscoveryError(f"{FILE}: signatures.{kind.__name__}.entrypoint {method!r} is no method of the class")
    evaluated = hints.evaluated(function)
    declared = {each.name: each for each in settings.inputs}
    parameters = tuple(_parameters(function, evaluated, declared))
    for name in declared.keys() - {each.name for each in parameters}:
        raise DiscoveryError(
            f"{FILE}: signatures.{kind.__name__}.inputs has {name!r}; {method} takes "
            f"{', '.join(each.name for each in parameters) or 'nothing'}"
        )
    return Signature(
        method, parameters, settings.inputs or _inputs(parameters), settings.outputs or _outputs(evaluated)
    )


def _entry_point(kind: type[Any]) -> str:
    for name in _PREFERRED:
        if _found(kind, name) is not None:
            return name
    public = sorted(
        {
            name
            for parent in kind.__mro__[:-1]
            for name, member in vars(parent).items()
            if inspect.isfunction(member) and not name.startswith("_") and name not in _INTERFACE
        }
    )
    if len(public) != 1:
        said = f"it has {', '.join(public)}" if public else "it has no public method"
        raise DiscoveryError(
            f"{kind.__name__} has no __call__ and no generate, and {said}: name the one to serve in {FILE} beside it, "
            f"as signatures: {{{kind.__name__}: {{entrypoint: ...}}}}"
        )
    return public[0]


def _found(kind: type[Any], name: str) -> Callable[..., Any] | None:
    # Not getattr: every class has its metaclass's __call__.
    member = next((vars(parent)[name] for parent in kind.__mro__ if name in vars(parent)), None)
    return member if inspect.isfunction(member) else None


def _parameters(
    function: Callable[..., Any], evaluated: dict[str, Any], declared: dict[str, TensorMetadata]
) -> Iterator[Parameter]:
    for each in list(inspect.signature(function).parameters.values())[1:]:
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            continue
        hint = hints.read(evaluated[each.name]) if each.name in evaluated else hints.ANYTHING
        if each.name in declared:
            hint = Hint(hint.form, declared[each.name].datatype, text=hint.text)
        required = each.default is each.empty
        default = None if required else each.default
        yield Parameter(each.name, hint, required, default, each.kind is not each.KEYWORD_ONLY)


def _inputs(parameters: tuple[Parameter, ...]) -> tuple[TensorMetadata, ...]:
    """Declare the inputs where hints tell all of them: a declared input must be given, with the rank declared."""
    wanted = [each for each in parameters if each.required or each.hint.form is not Form.VALUE]
    shapes = [(each.name, each.hint.datatype, each.hint.shape) for each in wanted]
    if any(not each.required for each in wanted):
        return ()
    known = [TensorMetadata(name, datatype, shape) for name, datatype, shape in shapes if datatype and shape]
    return tuple(known) if len(known) == len(shapes) else ()


def _outputs(evaluated: dict[str, Any]) -> tuple[TensorMetadata, ...]:
    hint = hints.read(evaluated["return"]) if "return" in evaluated else hints.ANYTHING
    if hint.datatype is None or hint.shape is None:
        return ()
    return (TensorMetadata("output-0", hint.datatype, hint.shape),)
