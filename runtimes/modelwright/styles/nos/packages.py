"""Whether the packages of a `runtime_env` are here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any, Final

_NAME: Final = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?![A-Za-z0-9._-]*:)")


def of(environment: Any) -> tuple[str, ...]:  # noqa: ANN401 - the genuine library's RuntimeEnv as well as ours
    """Give the pip requirements of a RuntimeEnv, in the order given; none of None."""
    conda = getattr(environment, "conda", None) or {}
    every = conda.get("dependencies", ()) if isinstance(conda, dict) else ()
    return tuple(package for each in every if isinstance(each, dict) for package in each.get("pip", ()))


def missing(packages: Iterable[str]) -> list[str]:
    """Give the pip requirements that are not installed, by their names; one by address is not."""
    return [package for package in packages if not _installed(package)]


def _installed(requirement: str) -> bool:
    name = _NAME.match(requirement)
    if name is None or "://" in requirement or "/" in requirement:
        return False
    try:
        distribution(name.group(1))
    except PackageNotFoundError:
        return False
    return True
