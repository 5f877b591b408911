"""What a model says that it needs before `setup`: weights, an environment, GPUs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelwright.styles.nemo_curator.fetching import Weights


class UnusableNeeds(Exception):
    """A property of an author's class is not what Curator's interface says; the message names it."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What one model needs; `num_gpus` may be a fraction, `environment` is None where the generation has none."""

    weights: tuple[Weights, ...]
    environment: str | None
    num_gpus: float


def needs(user: object, known: Mapping[str, Weights]) -> Needs:
    """Ask an instance; `known` has what all_models.json says of weights by their name.

    Raises:
        UnusableNeeds: a property has another type than Curator's interface gives it.

    """
    files = _asked(user, "id_file_mapping") or {}
    if not isinstance(files, Mapping):
        raise _unusable(user, "id_file_mapping", files, "a dictionary of weights' names to lists of files, or None")
    names = [*_names(user, "weights_names"), *_names(user, "model_id_names"), *files]
    return Needs(
        weights=tuple(_weights(user, name, files, known) for name in dict.fromkeys(names)),
        environment=_environment(user),
        num_gpus=_num_gpus(user),
    )


def _weights(user: object, name: str, files: Mapping[str, Any], known: Mapping[str, Weights]) -> Weights:
    found = known.get(name, Weights(name))
    if files.get(name) is None:
        return found
    return Weights(name, _texts(user, "id_file_mapping", files[name]), found.revision)


def _names(user: object, field: str) -> tuple[str, ...]:
    value = _asked(user, field)
    return () if value is None else _texts(user, field, value)


def _texts(user: object, field: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise _unusable(user, field, value, "a list of text")
    return tuple(value)


def _environment(user: object) -> str | None:
    value = _asked(user, "conda_env_name")
    if value is not None and not isinstance(value, str):
        raise _unusable(user, "conda_env_name", value, "the name of an environment")
    return value or None


def _num_gpus(user: object) -> float:
    value = _asked(user, "num_gpus")
    if value is None:
        # The later generations leave it to the stage; Curator's default is 1, a laptop's had better be 0.
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise _unusable(user, "num_gpus", value, "a number of GPUs, 0 or more")
    return float(value)


def _asked(user: object, field: str) -> Any:  # noqa: ANN401 - whatever the author gives
    """Read a property; Curator's own documents write some of them as plain methods."""
    value = getattr(user, field, None)
    return value() if callable(value) else value


def _unusable(user: object, field: str, value: object, expected: str) -> UnusableNeeds:
    return UnusableNeeds(f"{type(user).__name__}.{field} is {value!r}; it must be {expected}")
