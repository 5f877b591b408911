"""The Ray that a model with workers spans: what its pods have in common, and which of them belong together.

The predictor's pod heads it: Ray starts in the server's own process, whatever command that is, at a fixed port and with
a token. The workers' pods are the predictor's in all but their container, which joins instead of serving.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from modelwright_operator import labels
from modelwright_operator.desired.canonical import stored_form
from modelwright_operator.desired.inputs import Inputs
from modelwright_operator.desired.pod import pod_template
from modelwright_operator.desired.ports import http_port
from modelwright_operator.desired.quantities import InvalidQuantityError, value_of
from modelwright_operator.desired.ray_token import TOKEN_KEY, token_name
from modelwright_operator.desired.subject import Subject
from modelwright_operator.desired.worker import worker_pod
from modelwright_operator.settings import Settings

GCS_PORT = 6379
"""Where the head's control store listens; Ray agrees on every other port by itself."""
TOKEN_FOLDER = "/var/run/secrets/modelwright.dev/ray"  # noqa: S105 - where it is mounted
TOKEN_VOLUME, SHARED_VOLUME, SCRATCH_VOLUME = "ray-token", "ray-shm", "ray-tmp"
VOLUMES = (TOKEN_VOLUME, SHARED_VOLUME, SCRATCH_VOLUME)

_PLACES = {SHARED_VOLUME: "/dev/shm", SCRATCH_VOLUME: "/tmp"}  # noqa: S108 - volumes of their own
# Ray's object store takes 30% of the memory; what is in it counts against the container's limit.
_SHARED_PART = 3


@dataclass(frozen=True)
class Ray:
    """The pod templates of one Ray and what tells it from the one before it."""

    head: dict[str, Any]
    worker: dict[str, Any]
    revision: str


def ray(subject: Subject, settings: Settings, inputs: Inputs) -> Ray:
    """Return the templates for the predictor and its workers; any change of one is a new revision of both."""
    template = pod_template(subject, settings, inputs)
    worker = worker_pod(template["spec"], subject, settings, inputs)
    head = _member(template["spec"], labels.MAIN_CONTAINER, subject, _head_env(subject))
    worker = _member(worker, labels.WORKER_CONTAINER, subject, _sizes(subject))
    revision = _revision([head, worker, template["metadata"]])
    _set_env(_container(worker, labels.WORKER_CONTAINER), _worker_env(subject, revision))
    metadata = template["metadata"]
    return Ray(
        head={"metadata": _labelled(metadata, {labels.RAY: revision}), "spec": head},
        worker={
            "metadata": _labelled(metadata, {**subject.worker_labels, labels.RAY: revision}),
            "spec": worker,
        },
        revision=revision,
    )


def head_service_name(subject: Subject, revision: str) -> str:
    """Return the name by which the workers of a revision find their head."""
    return f"{subject.name}-head-{revision}"


def members(subject: Subject) -> dict[str, Any]:
    """Return the label selector of the pods of all of an InferenceService's Rays."""
    return {
        "matchLabels": {labels.INFERENCE_SERVICE: subject.name},
        "matchExpressions": [{"key": labels.RAY, "operator": "Exists"}],
    }


def _head_env(subject: Subject) -> dict[str, str]:
    return {
        # A Ray of its own, whatever else runs on the node.
        "RAY_ADDRESS": "local",
        "RAY_GCS_SERVER_PORT": str(GCS_PORT),
        **_sizes(subject),
    }


def _worker_env(subject: Subject, revision: str) -> dict[str, str]:
    head = head_service_name(subject, revision)
    return {
        "RAY_ADDRESS": f"{head}:{GCS_PORT}",
        "MODELWRIGHT_HEAD_URL": f"http://{head}:{http_port(subject)}/v2/health/ready",
    }


def _sizes(subject: Subject) -> dict[str, str]:
    """Return KServe's names for how many there are, which engines and their start scripts read."""
    workers = subject.workers
    if workers is None:
        return {}
    values = {
        "RAY_NODE_COUNT": workers.nodes,
        "PIPELINE_PARALLEL_SIZE": workers.pipeline_parallel_size,
        "TENSOR_PARALLEL_SIZE": workers.tensor_parallel_size,
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def _member(pod: dict[str, Any], name: str, subject: Subject, env: dict[str, str]) -> dict[str, Any]:
    """Return the pod with a token, and with the places that Ray writes to."""
    container = _container(pod, name)
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": f"{TOKEN_FOLDER}/{TOKEN_KEY}"}
    changed = {**container, "env": list(container.get("env") or [])}
    _set_env(changed, {**env, **token, "RAY_USAGE_STATS_ENABLED": "0"})
    mounts = list(container.get("volumeMounts") or [])
    volumes = [
        *(pod.get("volumes") or []),
        {"name": TOKEN_VOLUME, "secret": {"secretName": token_name(subject)}},
    ]
    mounts.append({"name": TOKEN_VOLUME, "mountPath": TOKEN_FOLDER, "readOnly": True})
    taken = {str(mount.get("mountPath", "")).rstrip("/") for mount in mounts}
    for volume, place in _PLACES.items():
        if place not in taken:
            mounts.append({"name": volume, "mountPath": place})
            volumes.append({"name": volume, "emptyDir": _shared(container) if volume == SHARED_VOLUME else {}})
    changed["volumeMounts"] = mounts
    containers = [changed if each["name"] == name else each for each in pod["containers"]]
    return stored_form({**pod, "containers": containers, "volumes": volumes})


def _shared(container: dict[str, Any]) -> dict[str, Any]:
    limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    try:
        size = int(value_of(limit) / _SHARED_PART) if limit is not None else 0
    except InvalidQuantityError:
        # The API server will say so of the container's resources.
        size = 0
    return {"medium": "Memory", **({"sizeLimit": str(size)} if size else {})}


def _container(pod: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in pod["containers"] if each["name"] == name)
    return found


def _set_env(container: dict[str, Any], values: dict[str, str]) -> None:
    kept = [entry for entry in container.get("env") or [] if entry.get("name") not in values]
    container["env"] = [*kept, *({"name": name, "value": value} for name, value in values.items())]


def _labelled(metadata: dict[str, Any], more: dict[str, str]) -> dict[str, Any]:
    return {**metadata, "labels": {**metadata["labels"], **more}}


def _revision(parts: object) -> str:
    """Return four letters and digits: with `-head-` and the longest name they make a DNS label of 63."""
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).digest()
    return base64.b32encode(digest)[:4].decode().lower()
