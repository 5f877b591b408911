"""The kube-apiserver as the tests speak to it: by the official client, so that not both sides share one mistake."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from kubernetes import client, config
from modelwright_operator.cluster.resources import INFERENCE_SERVICE, Resource

T = TypeVar("T")

NAMESPACE = Resource("v1", "Namespace", "namespaces")
CONFIG_MAP = Resource("v1", "ConfigMap", "configmaps")


class RefusedError(Exception):
    """The kube-apiserver said no."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Api:
    """Requests as one user."""

    def __init__(self, kubeconfig: Path) -> None:
        self._client: Any = config.new_client_from_config(str(kubeconfig))

    def request(
        self, method: str, path: str, body: Any = None, content: str = "application/json", **query: str
    ) -> dict[str, Any]:
        headers = {"Content-Type": content, "Accept": "application/json"}
        prepared = self._client.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            answer = self._client.call_api(*prepared)
        except client.ApiException as error:
            raise RefusedError(error.status, str(error.body)) from error
        text = answer.read()
        if answer.status >= 400:
            raise RefusedError(answer.status, text.decode())
        return json.loads(text)

    def get(self, resource: Resource, namespace: str | None, name: str) -> dict[str, Any]:
        return self.request("GET", resource.path(namespace, name))

    def find(self, resource: Resource, namespace: str | None, name: str) -> dict[str, Any] | None:
        try:
            return self.get(resource, namespace, name)
        except RefusedError as error:
            if error.code != 404:
                raise
            return None

    def items(self, resource: Resource, namespace: str | None) -> list[dict[str, Any]]:
        return self.request("GET", resource.path(namespace))["items"]

    def create(self, resource: Resource, namespace: str | None, body: dict[str, Any]) -> dict[str, Any]:
        whole = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
        return self.request("POST", resource.path(namespace), whole)

    def merge(
        self, resource: Resource, namespace: str, name: str, patch: dict[str, Any], **query: str
    ) -> dict[str, Any]:
        content = "application/merge-patch+json"
        return self.request("PATCH", resource.path(namespace, name), patch, content, **query)

    def merge_status(self, resource: Resource, namespace: str, name: str, status: dict[str, Any]) -> dict[str, Any]:
        path = resource.path(namespace, name, "status")
        return self.request("PATCH", path, {"status": status}, "application/merge-patch+json")

    def delete(self, resource: Resource, namespace: str | None, name: str) -> None:
        self.request("DELETE", resource.path(namespace, name))

    def serves(self, resource: Resource) -> bool:
        """Say whether a CRD has become addresses."""
        try:
            self.items(resource, "default")
        except RefusedError as error:
            if error.code not in (404, 429):
                raise
            return False
        return True

    def applies(self) -> float:
        """Return how many server-side applies the kube-apiserver has accepted, whether or not they changed anything."""
        prepared = self._client.param_serialize("GET", "/metrics", header_params={}, auth_settings=["BearerToken"])
        lines = self._client.call_api(*prepared).read().decode().splitlines()
        wanted = ("apiserver_request_total", 'verb="APPLY"', 'code="20')
        counters = [line for line in lines if all(part in line for part in wanted)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in counters)

    def allowed(self, verb: str, resource: str, group: str = "", namespace: str = "") -> bool:
        """Ask whether this user may do something."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {
                "resourceAttributes": {"verb": verb, "resource": resource, "group": group, "namespace": namespace}
            },
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return bool(self.request("POST", path, review)["status"]["allowed"])


def isvc(name: str, *, metadata: dict[str, Any] | None = None, **predictor: Any) -> dict[str, Any]:
    """Return an InferenceService with one container."""
    container = {"name": "kserve-container", "image": "registry.example/model:1"}
    return {
        "apiVersion": INFERENCE_SERVICE.api_version,
        "kind": INFERENCE_SERVICE.kind,
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"predictor": {"containers": [container], **predictor}},
    }


def condition(obj: dict[str, Any] | None, kind: str = "Ready") -> dict[str, Any]:
    """Return an object's condition of this type, empty while it has none."""
    conditions = ((obj or {}).get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), {})


def until(look: Callable[[], T | None], *, seconds: float = 30.0, what: str) -> T:
    """Look until there is something (true) to return; fail after ``seconds`` with what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
