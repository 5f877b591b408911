"""The two Jobs of a ModelImage: one says what source and builder are now, one builds that."""

import hashlib
import json
from typing import Any

from modelwright_operator import labels
from modelwright_operator.desired.build import steps, volumes
from modelwright_operator.desired.build.facts import Facts
from modelwright_operator.desired.build.target import Target
from modelwright_operator.desired.canonical import stored_form

RESOLVE, BUILD = "resolve", "build"
RESOLVE_SECONDS = 300
BUILD_SECONDS = 3600
_DRAIN_SECONDS = 5


def resolve_job(target: Target, suffix: str) -> dict[str, Any]:
    """Return the Job that looks at source and builder; `suffix` tells it from the one before."""
    pod = {**_pod(target), "containers": [steps.resolve(target)], "volumes": volumes.fetch_volumes(target)}
    return _job(target, f"{target.name}-look-{suffix}", RESOLVE, pod, RESOLVE_SECONDS, {})


def build_job(target: Target, facts: Facts, number: int) -> dict[str, Any]:
    """Return the Job that builds. All its containers but the last are init containers, so they run one by one."""
    *before, last = lifecycle = steps.lifecycle(target, facts)
    assert lifecycle  # noqa: S101 - five phases, always
    pod = _pod(target)
    pod["securityContext"] |= {
        "runAsUser": facts.uid,
        "runAsGroup": facts.gid,
        "fsGroup": facts.gid,
        "fsGroupChangePolicy": "OnRootMismatch",
    }
    pod["initContainers"] = [steps.fetch(target, facts), *before]
    pod["containers"] = [last]
    pod["volumes"] = volumes.build_volumes(target)
    more = {labels.BUILD_NUMBER: str(number), labels.BUILD_INPUTS: inputs_hash(target, facts)}
    seconds = target.image.spec.build.timeout_seconds or BUILD_SECONDS
    return _job(target, f"{target.name}-build-{number}", BUILD, pod, seconds, more)


def inputs_hash(target: Target, facts: Facts) -> str:
    """Return the hash of what goes into the image. The operator's own image and limits do not."""
    spec = target.image.spec
    given = [
        spec.tag, target.source, facts.source, facts.builder, facts.run_image, spec.build.env,
        target.settings.build_env, target.annotations.get(labels.REBUILD, ""),
    ]  # fmt: skip
    return digest(given)


def digest(value: object) -> str:
    """Return a short hash of plain data, fit for a label."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def _pod(target: Target) -> dict[str, Any]:
    return {
        "restartPolicy": "Never",
        "serviceAccountName": target.image.spec.service_account_name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _DRAIN_SECONDS,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    }


def _job(
    target: Target, name: str, step: str, pod: dict[str, Any], seconds: int, more: dict[str, str]
) -> dict[str, Any]:
    stored = stored_form(pod)
    found = {labels.BUILD_STEP: step, labels.BUILD_ATTEMPT: digest([stored, seconds]), **more}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": target.metadata(name, **found),
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": seconds,
            # A drained node's pod is made again elsewhere; a build that failed fails again.
            "podFailurePolicy": {
                "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
            },
            "podReplacementPolicy": "Failed",
            "template": {"metadata": {"labels": {labels.MODEL_IMAGE: target.name, **found}}, "spec": stored},
        },
    }
