"""`runtime_env`: a model whose packages are not all here runs in an environment that is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from modelwright import environments
from modelwright.model import Model
from modelwright.styles.catalogue import DiscoveryError, Wanted
from modelwright.styles.nos import packages


class Named(Protocol):
    """A ModelSpec, or an entry of serve.yaml."""

    id: str


Each = TypeVar("Each", bound=Named)


def name_of(each: Named, model_name: str | None) -> str:
    """Give the name that it is served under, as NOS has it for a path, of which '/' would be two parts."""
    return model_name or each.id.replace("/", "--")


def wanted_here(found: Sequence[Each], model_name: str | None) -> Sequence[Each]:
    """In an environment of its own, leave the one model that it was made for; elsewhere all of them."""
    if not environments.inside() or len(found) == 1:
        return found
    return [each for each in found if name_of(each, None) == model_name]


def model(wanted: Wanted, name: str, listed: Sequence[str], *, alone: bool) -> Model | None:
    """Give the model that runs there; None where every package is here, or in that environment itself.

    It answers on NOS's endpoint only where it is `alone`: the endpoint is one for all models of a process.

    Raises:
        DiscoveryError: one of the packages is no requirement.

    """
    if environments.inside() or not packages.missing(listed):
        return None
    try:
        description = environments.from_packages(listed, source=f"{wanted.path}: runtime_env of {name!r}")
    except environments.EnvironmentUnusable as error:
        raise DiscoveryError(str(error)) from None
    return environments.in_environment(description, "nos", Wanted(wanted.path, wanted.class_name, name), routes=alone)
