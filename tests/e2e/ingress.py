"""Requests as a caller sends them: to the ingress, with the service's name in the Host header."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.kubectl import until

UNROUTED = (404, 503)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status code and decoded body (JSON where it is JSON)."""

    status: int
    body: Any


@dataclass(frozen=True)
class Ingress:
    """The ingress controller's address on this machine, such as http://127.0.0.1:8081."""

    url: str

    def send(self, service_url: str, path: str, payload: Any = None, timeout: float = 30) -> Answer:
        """GET, or POST where there is a payload (JSON), `path` of the service whose status.url is given."""
        request = urllib.request.Request(
            self.url + path,
            data=None if payload is None else json.dumps(payload).encode(),
            headers={"Host": urlsplit(service_url).netloc, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return Answer(response.status, _decoded(response.read()))
        except urllib.error.HTTPError as error:
            return Answer(error.code, _decoded(error.read()))

    def predict_once(self, isvc: dict[str, Any], instances: Any, model: str | None = None) -> Answer:
        """V1 `:predict` of a Ready InferenceService; whatever answers, answers."""
        name = model or isvc["metadata"]["name"]
        return self.send(isvc["status"]["url"], f"/v1/models/{name}:predict", {"instances": instances})

    def predict(self, isvc: dict[str, Any], instances: Any, model: str | None = None) -> Answer:
        """The same, past the moment in which the ingress controller has not heard of the endpoints yet.

        Controllers read routes and endpoints by watches of their own and answer 404 or 503 in plain text until then.
        """
        return until(
            lambda: None if (a := self.predict_once(isvc, instances, model)).status in UNROUTED
            and isinstance(a.body, str) else a,
            seconds=10,
            why=lambda: f"the ingress knows no way to {isvc['status']['url']}",
        )  # fmt: skip


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
