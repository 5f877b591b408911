"""The CloudEvents headers that MLServer adds to what a model is asked and to what it answers, version 0.3 of them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from modelwright.server.rest.headers import Encoded, Written
from modelwright.server.rest.wire import heads

_Encoded: Final = Encoded
_Written: Final = Written
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
        self._request: dict[str, str] = {**fixed, "Ce-Type": f"{_TYPE}.request"}
        self._response: dict[str, str] = {**fixed, "Ce-Type": f"{_TYPE}.response"}
        # None where they are none that a header can carry, which is for the server to say.
        self._encoded: list[tuple[bytes, bytes]] | None = None
        self._lines = b""
        if all(_fit(value) for value in self._response.values()):
            self._encoded = [(name.lower().encode(), value.encode()) for name, value in self._response.items()]
            self._lines = heads.lines(self._encoded)

    def of_request(self, identity: str) -> dict[str, str]:
        """Give what a model sees of a request's id."""
        return {**self._request, "Ce-Id": identity, "Ce-Requestid": identity}

    def of_response(self, identity: str, *, ours: bool = False) -> dict[str, str]:
        """Give what a caller sees; no id where it is not `ours` and nothing that a header can carry."""
        if not ours and not _fit(identity):
            return dict(self._response)
        if self._encoded is None:
            return {**self._response, "Ce-Id": identity, "Ce-Requestid": identity}
        found = _Encoded(self._response)
        found["Ce-Id"] = found["Ce-Requestid"] = identity
        text = identity.encode()
        found.encoded = encoded = _Written(self._encoded)
        pairs: list[tuple[bytes, bytes]] = encoded
        pairs.append((b"ce-id", text))
        pairs.append((b"ce-requestid", text))
        encoded.lines = b"%bce-id: %b\r\nce-requestid: %b\r\n" % (self._lines, text, text)
        return found


def _fit(value: str) -> bool:
    return value.isascii() and value.isprintable()
