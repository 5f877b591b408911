"""`conda_env_name` as an environment of the model's own, where the author's folder or conda has one of that name."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator

from modelwright import environments
from modelwright.environments import Description
from modelwright.model import Model
from modelwright.styles.catalogue import DiscoveryError, Wanted
from modelwright.styles.nemo_curator import environment
from modelwright.styles.nemo_curator.fetching import PYTHON
from modelwright.styles.nemo_curator.guards import Guards
from modelwright.styles.source import Source


def apart(source: Source, read: Guards, names: Collection[str], wanted: Wanted) -> Iterator[tuple[str, Model]]:
    """Yield the classes of a file that run in an environment of their own, and the models that do.

    `names` are the classes wanted, empty for all. A class whose environment nobody describes runs in this process.

    Raises:
        DiscoveryError: the environment's file cannot be used.

    """
    if environments.inside():
        return
    for class_name, name in read.by_class.items():
        if (names and class_name not in names) or environment.is_running_in_env(name):
            continue
        description = _described(name, source, wanted)
        if description is not None:
            # The clients that fetch weights are the server's: the model's environment has what its author asked for.
            os.environ[PYTHON] = sys.executable
            there = Wanted(wanted.path, class_name, wanted.model_name or class_name)
            yield class_name, environments.in_environment(description, "nemo_curator", there)


def _described(name: str, source: Source, wanted: Wanted) -> Description | None:
    folder = wanted.path if wanted.path.is_dir() else wanted.path.parent
    try:
        return environments.named(name, source.path.parent) or environments.named(name, folder)
    except environments.EnvironmentUnusable as error:
        raise DiscoveryError(f"{source.path.name}: conda_env_name {name!r}: {error}") from None
