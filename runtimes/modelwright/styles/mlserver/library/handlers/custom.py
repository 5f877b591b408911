"""`custom_handler`: a method that answers an HTTP route of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from modelwright.styles.mlserver.foreign import Foreign

Method = TypeVar("Method", bound=Callable[..., Foreign])
_ATTRIBUTE = "__custom_handler__"


@dataclass(slots=True)
class CustomHandler:
    """The route of a method."""

    rest_path: str
    rest_method: str = "POST"


def custom_handler(rest_path: str, rest_method: str = "POST") -> Callable[[Method], Method]:
    """Let a method of a model answer `rest_path`, a path of the server's root."""

    def register(method: Method) -> Method:
        register_custom_handler(CustomHandler(rest_path=rest_path, rest_method=rest_method), method)
        return method

    return register


def register_custom_handler(handler: CustomHandler, method: Callable[..., Foreign]) -> None:
    """Do what the decorator does."""
    setattr(method, _ATTRIBUTE, handler)


def get_custom_handlers(model: Foreign) -> list[tuple[CustomHandler, Callable[..., Foreign]]]:
    """Return a model's handlers with their methods."""
    members = inspect.getmembers(model, inspect.ismethod)
    return [(getattr(member, _ATTRIBUTE), member) for _, member in members if hasattr(member, _ATTRIBUTE)]
