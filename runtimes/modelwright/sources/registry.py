"""Registries for a ModelImage's Jobs: with the ServiceAccount's image pull secrets, refusals as WeightsError."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from modelwright.registry.caller import OTHER, SILENT, Caller
from modelwright.registry.client import Registry
from modelwright.sources import logins
from modelwright.weights.errors import WeightsError

_REMEDIES = {
    401: "Add a Secret of type kubernetes.io/dockerconfigjson to the ServiceAccount's imagePullSecrets.",
    403: "The credentials may not read it: correct the ServiceAccount's imagePullSecrets.",
    404: "Check its name and tag, and that it was pushed.",
    SILENT: "Check its name, and that pods reach it; one without TLS belongs into the setting insecureRegistries.",
    OTHER: "Look at the registry's log.",
}


def registry(config: Mapping[str, Any] | None = None, insecure: Collection[str] = ()) -> Registry:
    """Return the registries as seen with the logins of a docker config; `insecure` are hosts that speak plain HTTP."""
    return Registry(Caller(partial(logins.login, config or {}), WeightsError, _REMEDIES, insecure))
