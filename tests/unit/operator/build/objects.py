"""ModelImages, Jobs and pods for the tests of builds."""

from __future__ import annotations

import json
from typing import Any

from modelwright_operator.api.modelimage import ModelImage
from modelwright_operator.desired.build import Facts, Target
from modelwright_operator.settings import Settings

FACTS = Facts(
    source="registry.example.com/models/iris@sha256:" + "1" * 64,
    builder="registry.example.com/builder@sha256:" + "b" * 64,
    run_image="registry.example.com/run@sha256:" + "c" * 64,
    uid=1000,
    gid=1001,
    platform_api="0.13",
)
SPEC = {
    "tag": "registry.example.com/models/iris:latest",
    "builder": "registry.example.com/builder:1",
    "source": {"registry": {"image": "registry.example.com/models/iris:source"}},
}
PHASES = ("fetch", "analyze", "detect", "restore", "build", "export")


def image(status: dict[str, Any] | None = None, annotations: dict[str, str] | None = None, **spec: Any) -> ModelImage:
    metadata = {"name": "iris", "namespace": "ns", "uid": "u-1", "generation": 2, "annotations": annotations or {}}
    return ModelImage.model_validate({"metadata": metadata, "spec": {**SPEC, **spec}, "status": status or {}})


def target(model_image: ModelImage | None = None, account: dict[str, Any] | None = None, **settings: Any) -> Target:
    return Target(model_image or image(), Settings(**settings), account)


def message(facts: Facts = FACTS) -> str:
    return json.dumps({name: getattr(facts, name) for name in Facts.__slots__})


def job(
    manifest: dict[str, Any], *, at: str = "2026-01-01T12:00:00Z", ended: str = "", failed: bool = False
) -> dict[str, Any]:
    """A Job as the cache has it, `ended` at a time or running."""
    name = manifest["metadata"]["name"]
    metadata = {**manifest["metadata"], "uid": f"uid-{name}", "creationTimestamp": at}
    conditions = []
    if ended:
        kind = "Failed" if failed else "Complete"
        conditions = [{"type": kind, "status": "True", "lastTransitionTime": ended, "message": "it has failed"}]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "status": {"conditions": conditions}}


def pod(of: dict[str, Any], *states: tuple[str, dict[str, Any]], phase: str = "Running") -> dict[str, Any]:
    owner = {"kind": "Job", "name": of["metadata"]["name"], "uid": of["metadata"]["uid"], "controller": True}
    statuses = [{"name": name, "state": state, "image": "x"} for name, state in states]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{of['metadata']['name']}-x",
            "labels": of["metadata"]["labels"],
            "ownerReferences": [owner],
            "creationTimestamp": "2026-01-01T12:00:01Z",
        },
        "status": {"phase": phase, "initContainerStatuses": statuses[:-1], "containerStatuses": statuses[-1:]},
    }


def ended(exit_code: int = 0, message: str = "", reason: str = "Completed") -> dict[str, Any]:
    return {"terminated": {"exitCode": exit_code, "message": message, "reason": reason}}


def report(digest: str) -> str:
    return f'[image]\n  tags = ["x"]\n  digest = "sha256:{digest * 64}"\n'
