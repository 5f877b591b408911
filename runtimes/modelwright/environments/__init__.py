"""A model's own environment: what it is made of, made once, and the model run in it by a process of its own.

A style describes an environment with `from_packages`, `from_file`, `from_folder` or `named`, and serves
`in_environment(description, style, wanted)`, unless it is `inside` one already: the same style finds the model there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from modelwright.environments.description import Description, from_packages
from modelwright.environments.sources import from_file, from_folder, from_tarball, named
from modelwright.errors import EnvironmentUnusable

if TYPE_CHECKING:
    from modelwright.model import Model

__all__ = [
    "Description",
    "EnvironmentUnusable",
    "Wanted",
    "from_file",
    "from_folder",
    "from_packages",
    "from_tarball",
    "in_environment",
    "inside",
    "named",
]

# Set in a model's own process.
INSIDE: Final = "MODELWRIGHT_IN_ENVIRONMENT"


class Wanted(Protocol):
    """What is to be served, as `styles.catalogue.Wanted` says it."""

    @property
    def path(self) -> Path:
        """A Python file or a folder."""

    @property
    def class_name(self) -> str | None:
        """At most one class of it."""

    @property
    def model_name(self) -> str | None:
        """The name to serve it under."""


def inside() -> bool:
    """Say whether this process runs a model in the environment that was made for it."""
    return bool(os.environ.get(INSIDE))


def in_environment(description: Description, style: str, wanted: Wanted, *, routes: bool = True) -> Model:
    """Give the one model that `style` discovers for `wanted`, run by a process of its own in that environment.

    Without `routes` the model's own routes are not offered: another model of the style brings them.

    Nothing is made or started before the model's `load`, which raises EnvironmentUnusable where the environment cannot
    be had, and what the author's code raised where that did not load.
    """
    # Processes that only keep others do without numpy.
    from modelwright.environments.remote import RemoteModel  # noqa: PLC0415

    return RemoteModel(description, style, wanted, routes=routes)
