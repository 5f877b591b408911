"""The styles by name: each a package here whose `discover` module finds an author's models.

A style's module is imported only once its name is known, so that none of them costs the others anything.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from modelwright.model import Model


class DiscoveryError(Exception):
    """The author's files cannot be served as they are; the message names file, field and remedy."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be served: a Python file or a folder, at most one class of it, and the name to serve it under."""

    path: Path
    class_name: str | None = None
    model_name: str | None = None


@dataclass(frozen=True, slots=True)
class Discovered:
    """An author's models, not loaded, and what the author's files say of the server's arguments.

    `arguments` has names of `server.Arguments`; the command line and the environment win over them.
    """

    models: Sequence[Model]
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Discovery(Protocol):
    """What each style's `discover` module offers."""

    def discover(self, wanted: Wanted) -> Discovered:
        """Import the author's code and make a model of each of the author's.

        Raises:
            DiscoveryError: there is none, or it cannot be served as written.
            Exception: whatever the author's code raises at import.

        """


def discovery(style: str) -> Discovery:
    """Import one style; `style` is a key of `detect.SIGNS`."""
    return cast("Discovery", importlib.import_module(f"modelwright.styles.{style}.discover"))
