"""`nos.common.spec`: a class, how it is made, and its methods, by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from modelwright.styles.nos.library.common.exceptions import InputValidationException
from modelwright.styles.nos.library.common.runtime_env import RuntimeEnv
from modelwright.styles.nos.library.common.tasks import TaskType

__all__ = ["FunctionSignature", "ModelDeploymentSpec", "ModelSpec", "ModelSpecMetadata", "RuntimeEnv"]

_ID: Final = re.compile(r"[a-zA-Z0-9/._-]+")


@dataclass
class FunctionSignature:
    """One method of a class; raises ValueError where the class has none of that name."""

    func_or_cls: Callable[..., Any]
    method: str
    init_args: tuple[Any, ...] = ()
    init_kwargs: dict[str, Any] = field(default_factory=dict)
    input_annotations: dict[str, Any] = field(default_factory=dict)
    output_annotations: Any = None

    def __post_init__(self) -> None:
        if not callable(self.func_or_cls):
            raise ValueError(f"func_or_cls={self.func_or_cls!r} is not callable; expected a class")
        if not self.method or not hasattr(self.func_or_cls, self.method):
            raise ValueError(f"{_name(self.func_or_cls)} has no method {self.method!r}")
        signature = inspect.signature(getattr(self.func_or_cls, self.method))
        self.parameters: Mapping[str, inspect.Parameter] = signature.parameters
        self.return_annotation = signature.return_annotation

    @staticmethod
    def validate(inputs: dict[str, Any], sig: Mapping[str, Any]) -> dict[str, Any]:
        """Return the inputs where the method takes their names; types, and what is missing, are not looked at.

        Raises:
            InputValidationException: it has no parameter of such a name.

        """
        unknown = inputs.keys() - sig.keys()
        if unknown and not any(getattr(each, "kind", None) is inspect.Parameter.VAR_KEYWORD for each in sig.values()):
            expected = ", ".join(name for name in sig if name != "self") or "none"
            raise InputValidationException(f"unknown inputs {', '.join(sorted(unknown))}; the method takes {expected}")
        return inputs


@dataclass
class ModelSpecMetadata:
    """What is known of one method of a model."""

    id: str
    method: str
    task: TaskType | None = None
    resources: Any = None
    profile: dict[str, Any] = field(default_factory=dict)


@dataclass
class ModelDeploymentSpec:
    """How many replicas a model has; `resources` are the pod's to give."""

    num_replicas: int = 1
    resources: Any = None


@dataclass
class ModelSpec:
    """A class as NOS runs it; the first method of `signature` is the default one.

    Raises ValueError for an id of other characters than letters, digits and `/._-`, and TypeError or ValueError for
    signatures that are not the methods' by name.
    """

    id: str
    signature: dict[str, FunctionSignature] = field(default_factory=dict)
    runtime_env: RuntimeEnv | None = None

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"model id {self.id!r} may have letters, digits, '/', '.', '_' and '-' only")
        if isinstance(self.signature, FunctionSignature):
            self.signature = {self.signature.method: self.signature}
        if not isinstance(self.signature, dict):
            raise TypeError(f"signature must be a dictionary of methods, not {type(self.signature).__name__}")
        for method, signature in self.signature.items():
            if method != signature.method:
                raise ValueError(f"signature[{method!r}] is that of method {signature.method!r}")

    def __repr__(self) -> str:
        return f"ModelSpec(id={self.id}, methods=({', '.join(self.signature)}))"

    @classmethod
    def from_cls(
        cls,
        func_or_cls: Callable[..., Any],
        init_args: tuple[Any, ...] = (),
        init_kwargs: dict[str, Any] | None = None,
        method: str = "__call__",
        runtime_env: RuntimeEnv | None = None,
        model_id: str | None = None,
        *,
        pip: list[str] | None = None,
        **_: object,
    ) -> ModelSpec:
        """Wrap a class; every function of it becomes a method of the model, the chosen one first, then by name.

        Raises:
            ValueError: it is no class, or it has no such method.

        """
        if not inspect.isclass(func_or_cls):
            raise ValueError(f"{func_or_cls!r} is no class; ModelSpec.from_cls wraps classes only")
        if not hasattr(func_or_cls, method):
            raise ValueError(f"{func_or_cls.__name__} has no method {method!r}")
        every = [name for name, _ in inspect.getmembers(func_or_cls, inspect.isfunction)]
        chosen = [method] if method in every else []
        methods = [*chosen, *(name for name in every if name not in ("__init__", method))]
        made = {
            name: FunctionSignature(func_or_cls, name, tuple(init_args), dict(init_kwargs or {})) for name in methods
        }
        environment = runtime_env or (RuntimeEnv.from_packages(pip) if pip else None)
        return cls(model_id or func_or_cls.__name__, made, environment)

    @property
    def name(self) -> str:
        """The model's id, as the first generation calls it."""
        return self.id

    @cached_property
    def default_method(self) -> str:
        """The method that is called where none is named."""
        return next(iter(self.signature))

    @cached_property
    def default_signature(self) -> FunctionSignature:
        """The default method's."""
        return self.signature[self.default_method]

    def set_default_method(self, method: str) -> None:
        """Call `method` where none is named; raises ValueError where there is none."""
        if method not in self.signature:
            raise ValueError(f"{self.id} has no method {method!r}; it has {', '.join(self.signature)}")
        self.signature = {method: self.signature[method], **self.signature}
        self.__dict__.pop("default_method", None)
        self.__dict__.pop("default_signature", None)

    def task(self, method: str | None = None) -> TaskType | None:
        """Give what a method is for: nobody has said so here."""
        return self.metadata(method).task

    def metadata(self, method: str | None = None) -> ModelSpecMetadata:
        """Give what is known of a method."""
        return ModelSpecMetadata(self.id, method or self.default_method)

    def __call__(self, *init_args: object, **init_kwargs: object) -> Any:  # noqa: ANN401 - the author's
        """Make the author's object itself, of these arguments."""
        return self.default_signature.func_or_cls(*init_args, **init_kwargs)


def _name(kind: object) -> str:
    return getattr(kind, "__name__", repr(kind))
