"""A cluster, as far as a deployment asks it: apply, watch, logs of conditions, and a way to a pod."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from modelwright.images.deploying.follow import follow
from modelwright.images.errors import ImageError

Object = dict[str, Any]
_FIELD_MANAGER: Final = "modelwright-deploy"
_PLURALS: Final = {"ModelImage": "modelimages", "InferenceService": "inferenceservices"}
_LOOK_SECONDS: Final = 0.5
_WATCH_SECONDS: Final = 30
SERVICE_LABEL: Final = "serving.kserve.io/inferenceservice"
_CONNECT_SECONDS: Final = 20.0


def library(name: str) -> Any:  # noqa: ANN401 - its types say little
    """Import a part of the cluster's client, which no other verb needs. Raises ImageError where it is missing."""
    try:
        return importlib.import_module(f"kubernetes.{name}")
    except ImportError:
        raise ImageError("asking a cluster needs its client: pip install 'modelwright[images]'") from None


class Cluster:
    """The cluster that a kubeconfig's context names.

    Raises:
        ImageError: there is no kubeconfig, no such context, or the library is not installed.

    """

    def __init__(self, context: str | None, namespace: str | None) -> None:
        client, config = library("client"), library("config")
        try:
            self._api = config.new_client_from_config(context=context)
            contexts, active = config.list_kube_config_contexts()
        except (config.ConfigException, OSError) as error:
            named = f"--context {context}: " if context else ""
            raise ImageError(
                f"{named}no cluster is configured ({error}): set KUBECONFIG, or name one of its contexts"
            ) from None
        chosen = next((each for each in contexts if each["name"] == context), active)
        self.namespace = namespace or chosen["context"].get("namespace") or "default"
        self._client = client
        self._objects = client.CustomObjectsApi(self._api)

    @property
    def core(self) -> Any:  # noqa: ANN401 - the library has no types
        """The client of pods."""
        return self._client.CoreV1Api(self._api)

    def apply(self, made: Mapping[str, Any]) -> Object:
        """Apply an object on the server's side, where others' fields stay theirs, and give it. Raises ImageError."""
        group, version = made["apiVersion"].split("/")
        with _explained(made["kind"], made["metadata"]["name"], self.namespace):
            place = (group, version, self.namespace, _PLURALS[made["kind"]], made["metadata"]["name"])
            applied: Object | None = self._objects.patch_namespaced_custom_object(
                *place, dict(made), field_manager=_FIELD_MANAGER, force=True,
                _content_type="application/apply-patch+yaml", _request_timeout=_CONNECT_SECONDS,
            )  # fmt: skip
            # The library reads the answer to a change, and gives None for the one to what is new (201).
            return applied or self._objects.get_namespaced_custom_object(*place, _request_timeout=_CONNECT_SECONDS)

    def built(self, image: Mapping[str, Any], seconds: float, say: Callable[[str], None]) -> str:
        """Apply a ModelImage, wait until it is built, and give the image by digest. Raises ImageError."""
        status = (applied := self.apply(image)).get("status") or {}
        changed = status.get("observedGeneration") != applied["metadata"]["generation"]
        what = f"{image['kind']} {image['metadata']['name']}"
        before = str(status.get("latestBuild", "")) if changed else ""
        ready = follow(self.watched(image, seconds), what, seconds, say, before=before)
        return str(ready["status"]["latestImage"])

    def runs(self, service: str, image: str) -> bool:
        """Say whether every pod of a service that is not leaving has this image, and there is one."""
        staying = [pod.spec.containers for pod in self._pods(service) if not pod.metadata.deletion_timestamp]
        return bool(staying) and all(any(each.image == image for each in containers) for containers in staying)

    def left(self, service: str, seconds: float) -> bool:
        """Wait until the pods of a service that are leaving have left, and say whether they did."""
        deadline = time.monotonic() + seconds
        while any(pod.metadata.deletion_timestamp for pod in self._pods(service)):
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def _pods(self, service: str) -> list[Any]:
        found: list[Any] = self.core.list_namespaced_pod(
            self.namespace, label_selector=f"{SERVICE_LABEL}={service}"
        ).items
        return found

    def watched(self, made: Mapping[str, Any], seconds: float) -> Iterator[Object]:
        """Yield the object as it is and each time that it changes, until it is deleted or the time is over.

        Raises ImageError.
        """
        group, version = made["apiVersion"].split("/")
        called = made["metadata"]["name"]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with _explained(made["kind"], called, self.namespace):
                stream = library("watch").Watch().stream(
                    self._objects.list_namespaced_custom_object, group, version, self.namespace, _PLURALS[made["kind"]],
                    field_selector=f"metadata.name={called}",
                    timeout_seconds=max(1, min(_WATCH_SECONDS, int(deadline - time.monotonic()))),
                )  # fmt: skip
                for event in stream:
                    if event["type"] == "DELETED":
                        raise ImageError(f"{made['kind']} {called} was deleted by somebody else")
                    yield event["object"]


class _explained:  # noqa: N801 - used as a function
    """Words the API's refusals."""

    def __init__(self, kind: str, name: str, namespace: str) -> None:
        self._what = f"{kind} {name} in namespace {namespace}"
        self._kind, self._namespace = kind, namespace

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        status = getattr(error, "status", None)
        if isinstance(status, int) and status:
            raise ImageError(f"{self._what}: {self._remedy(status, _said(error))}") from None
        if type(error).__module__.startswith(("urllib3", "kubernetes")):
            raise ImageError(f"the cluster does not answer ({error}): check KUBECONFIG and --context") from None

    def _remedy(self, status: int, said: str) -> str:
        if status == 404:
            return (
                f"the cluster has no kind {self._kind}, or no such namespace ({said}): install Modelwright's chart, or "
                f"kubectl create namespace {self._namespace}"
            )
        if status in (401, 403):
            return (
                f"you may not do that ({said}): ask for a role that may create and read it, or name another --context"
            )
        return f"the cluster refuses it: {said}"


def _said(error: BaseException) -> str:
    import json  # noqa: PLC0415 - for failures only

    try:
        return str(json.loads(getattr(error, "body", "") or "")["message"])
    except (ValueError, KeyError, TypeError):
        return str(getattr(error, "reason", error))
