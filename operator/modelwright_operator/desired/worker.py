"""The workers: their pod, which is the predictor's with a container that joins, and their Deployment."""

import copy
from typing import Any

from modelwright_operator import labels
from modelwright_operator.addresses import worker_name
from modelwright_operator.desired.canonical import stored_form
from modelwright_operator.desired.container import completed_resources
from modelwright_operator.desired.images import image_of
from modelwright_operator.desired.inputs import Inputs
from modelwright_operator.desired.subject import Subject
from modelwright_operator.settings import Settings

READINESS_PORT = 8080
"""Where `modelwright join` tells whether it has joined."""
JOIN = "join"
# How much longer than the predictor a worker may live: it is still needed while that one finishes its requests.
_LONGER_SECONDS = 10
# The pods of a version come and go together: every one of the new before any of the old is told to end.
_ALL_AT_ONCE = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "100%"}}
# What belongs to serving.
_SERVING = ("args", "command", "ports", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle")


def worker_pod(predictor_pod: dict[str, Any], subject: Subject, settings: Settings, inputs: Inputs) -> dict[str, Any]:
    """Return the spec of a worker's pod for the complete one of the predictor's, in stored form."""
    workers = subject.workers
    pod = copy.deepcopy(predictor_pod)
    if workers is None:
        return pod
    main = next(each for each in pod["containers"] if each["name"] == labels.MAIN_CONTAINER)
    written = copy.deepcopy(workers.container)
    if "image" in written:
        written["image"] = image_of(str(written["image"]), inputs.images)
    pod["containers"] = [_container(main, written, settings)]
    pod["terminationGracePeriodSeconds"] = pod["terminationGracePeriodSeconds"] + _LONGER_SECONDS
    return stored_form({**pod, **copy.deepcopy(workers.overrides)})


def _container(main: dict[str, Any], written: dict[str, Any], settings: Settings) -> dict[str, Any]:
    container = {name: value for name, value in main.items() if name not in _SERVING}
    env = {str(entry.get("name")): entry for entry in [*(main.get("env") or []), *(written.get("env") or [])]}
    mounts = [*(main.get("volumeMounts") or []), *(written.get("volumeMounts") or [])]
    container |= {**written, "name": labels.WORKER_CONTAINER, "env": list(env.values())}
    container["volumeMounts"] = list({mount.get("mountPath"): mount for mount in mounts}.values())
    if "resources" in written:
        container["resources"] = completed_resources(written["resources"] or {}, settings)
    if "command" not in written and "args" not in written:
        container["command"] = list(settings.ray_worker_command)
    if joins(container):
        container["readinessProbe"] = {
            "httpGet": {"path": "/", "port": READINESS_PORT},
            "periodSeconds": 5,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        }
    return container


def joins(container: dict[str, Any]) -> bool:
    """Say whether the container is known to run `modelwright join`, which tells whether it has joined."""
    words = [*(container.get("command") or []), *(container.get("args") or [])]
    return JOIN in words


def workers_deployment(subject: Subject, template: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the workers' Deployment; how many there are is `workerSpec`'s alone to say."""
    metadata = subject.object_metadata(worker_name(subject.name))
    metadata["labels"] |= subject.worker_labels
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": subject.workers.count if subject.workers else 0,
            "selector": {"matchLabels": {labels.APP: subject.worker_labels[labels.APP]}},
            "template": template,
            "strategy": stored_form(subject.predictor.deployment_strategy or _ALL_AT_ONCE),
            "progressDeadlineSeconds": settings.progress_deadline_seconds,
        },
    }
