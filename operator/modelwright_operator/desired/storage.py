"""Weights at /mnt/models: a claim that is mounted, or an init container that fetches them.

All of it stands in the Deployment, where `kubectl diff` shows it and where it works while the operator is
away; KServe has a webhook write it into each pod.
"""

from dataclasses import dataclass, field
from typing import Any

from modelwright_operator import labels
from modelwright_operator.desired.credentials import credentials
from modelwright_operator.desired.inputs import Inputs
from modelwright_operator.desired.storage_uri import Claim, claim_of, scheme_of, storage_uri
from modelwright_operator.desired.subject import Subject
from modelwright_operator.settings import Settings

FETCHED_VOLUME = "kserve-provision-location"
CLAIM_VOLUME = "kserve-pvc-source"
SCRATCH_VOLUME = "storage-initializer-tmp"
RESERVED_VOLUMES = (FETCHED_VOLUME, CLAIM_VOLUME, SCRATCH_VOLUME, "user-gcp-sa", "s3-ca-bundle")


@dataclass
class Weights:
    """What a pod needs for its weights."""

    volumes: list[dict[str, Any]] = field(default_factory=list)
    mounts: list[dict[str, Any]] = field(default_factory=list)
    init_containers: list[dict[str, Any]] = field(default_factory=list)


def weights(subject: Subject, settings: Settings, inputs: Inputs) -> Weights:
    """Return the volumes, mounts and init containers that put the weights at /mnt/models."""
    uri = storage_uri(subject)
    if uri is None:
        return Weights()
    read_only = subject.annotations.get(labels.STORAGE_READONLY, "").lower() != "false"
    if claim := claim_of(uri):
        return _mounted(claim, read_only)
    return _fetched(uri, read_only, subject, settings, inputs)


def _mounted(claim: Claim, read_only: bool) -> Weights:
    """Mount a claim. A single file keeps its name below /mnt/models, a folder becomes /mnt/models."""
    mount: dict[str, Any] = {"name": CLAIM_VOLUME, "mountPath": labels.MODELS_PATH, "readOnly": read_only}
    if claim.path:
        mount["subPath"] = claim.path
    if claim.is_file:
        mount["mountPath"] = f"{labels.MODELS_PATH}/{claim.path.rsplit('/', 1)[-1]}"
    volume = {"name": CLAIM_VOLUME, "persistentVolumeClaim": {"claimName": claim.name}}
    return Weights(volumes=[volume], mounts=[mount])


def _fetched(uri: str, read_only: bool, subject: Subject, settings: Settings, inputs: Inputs) -> Weights:
    found = credentials(scheme_of(uri), subject, settings, inputs)
    mounts = [
        {"name": FETCHED_VOLUME, "mountPath": labels.MODELS_PATH},
        {"name": SCRATCH_VOLUME, "mountPath": "/tmp"},  # noqa: S108 - a volume of its own
        *found.mounts,
    ]
    if scheme_of(uri) == "file":
        # A local path can only be one of the volumes that the model's container mounts.
        theirs = subject.main_container.get("volumeMounts") or []
        taken = {mount["mountPath"] for mount in mounts}
        mounts += [{**mount, "readOnly": True} for mount in theirs if mount.get("mountPath") not in taken]
    container = {
        "name": labels.INITIALIZER,
        "image": settings.storage_initializer_image,
        "command": list(settings.storage_initializer_command),
        "args": [uri, labels.MODELS_PATH],
        "env": [
            *found.env,
            *({"name": name, "value": value} for name, value in sorted(settings.storage_initializer_env.items())),
            {"name": "HOME", "value": "/tmp"},  # noqa: S108 - any user may write there, and only there
        ],
        "envFrom": found.env_from,
        "resources": fetching_resources(settings),
        "securityContext": {"readOnlyRootFilesystem": True},
        "volumeMounts": mounts,
    }
    return Weights(
        volumes=[
            {"name": FETCHED_VOLUME, "emptyDir": {}},
            {"name": SCRATCH_VOLUME, "emptyDir": {}},
            *found.volumes,
        ],
        mounts=[{"name": FETCHED_VOLUME, "mountPath": labels.MODELS_PATH, "readOnly": read_only}],
        init_containers=[container],
    )


def fetching_resources(settings: Settings) -> dict[str, Any]:
    """Return the resources of a container that fetches, weights or a ModelImage's source."""
    return {
        "requests": {
            "cpu": settings.storage_initializer_cpu_request,
            "memory": settings.storage_initializer_memory_request,
        },
        "limits": {
            "cpu": settings.storage_initializer_cpu_limit,
            "memory": settings.storage_initializer_memory_limit,
        },
    }
