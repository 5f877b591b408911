"""Registry credentials: image pull secrets as Kubernetes mounts them, and one docker config of them all."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelwright.registry.login import Login, of
from modelwright.weights.errors import WeightsError

KEYS = (".dockerconfigjson", ".dockercfg")
"""Keys of Secrets of the types kubernetes.io/dockerconfigjson and kubernetes.io/dockercfg."""
_REMEDY = "Make it again: kubectl create secret docker-registry."


def merged(folder: Path) -> dict[str, Any]:
    """Return one docker config of the Secrets mounted below `folder`, one a folder; the first to name a host wins.

    A Secret that does not exist, or holds something else, is an empty folder or one without these keys. Raises
    `WeightsError` for one that is not JSON.
    """
    logins: dict[str, Any] = {}
    for path in sorted(found for key in KEYS for found in folder.glob(f"*/{key}")):
        try:
            content = json.loads(path.read_bytes())
            entries = content["auths"] if path.name == KEYS[0] else content
            logins = {**entries, **logins}
        except (ValueError, KeyError, TypeError):
            raise WeightsError(
                path.parent.name,
                f"the Secret's {path.name} is not a docker config",
                _REMEDY,
            ) from None
    return {"auths": logins}


def write(folder: Path, target: Path) -> None:
    """Write what `merged` returns to the file `target`, for the lifecycle's phases to read."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(merged(folder), file)


def login(config: Mapping[str, Any], host: str) -> Login | None:
    """Return the login of a registry, None where there is none for it. Raises `WeightsError` for one that is none."""
    try:
        return of(config, host)
    except ValueError as why:
        raise WeightsError(host, f"in the ServiceAccount's imagePullSecrets {why}", _REMEDY) from None
