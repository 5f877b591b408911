"""The CloudEvents headers that MLServer adds to what a model is asked and to what it answers, version 0.3 of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_TYPE: Final = "io.seldon.serving.inference"
# Where Kubernetes tells a pod its own, unless its service account's token is not mounted.
_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def namespace() -> str | None:
    """Give the pod's namespace, None outside of a cluster."""
    try:
        return _NAMESPACE.read_text(encoding="utf-8")
    except OSError:
        return None


class CloudEvents:
    """The headers of one model; `server` is `server_name` of MLServer's settings."""

    def __init__(self, model: str, server: str = "mlserver", place: str | None = None) -> None:
        source = f"io.seldon.serving.deployment.{server}"
        fixed = {
            "Ce-Specversion": "0.3",
            "Ce-Source": f"{source}.{place}" if place else source,
            "Ce-Modelid": model,
            "Ce-Inferenceservicename": server,
            "Ce-Endpoint": model,
            **({"Ce-Namespace": place} if place else {}),
        }
        self._request: Mapping[str, str] = {**fixed, "Ce-Type": f"{_TYPE}.request"}
        self._response: Mapping[str, str] = {**fixed, "Ce-Type": f"{_TYPE}.response"}

    def of_request(self, identity: str) -> dict[str, str]:
        """Give what a model sees of a request's id."""
        return {**self._request, "Ce-Id": identity, "Ce-Requestid": identity}

    def of_response(self, identity: str) -> dict[str, str]:
        """Give what a caller sees; no id where it was the caller's own and is nothing that a header can carry."""
        if not (identity.isascii() and identity.isprintable()):
            return {**self._response}
        return {**self._response, "Ce-Id": identity, "Ce-Requestid": identity}
