"""Containers that have not started: why, and what to do. By the reason in `state.waiting`."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from modelwright_operator.observed.failure import Failure
from modelwright_operator.observed.terminated import CANNOT_START, COMMAND_FAILED, COMMAND_REMEDY, without_runtime

# What the kubelet and containerd say on the way to the point.
_PULLING = re.compile(
    r'^Back-off pulling image "[^"]*":?\s*|\b(?:ErrImagePull|ImagePullBackOff):\s*|\brpc error: code = \w+ desc = '
    r'|\bfailed to (?:pull and unpack image|resolve reference|resolve image|do request) "[^"]*":\s*'
    r"|\bfailed to do request:\s*"
)
_MISSING = re.compile(r'(secret|configmap) "([^"]+)" not found', re.IGNORECASE)
_MISSING_KEY = re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) (\S+)")


def waiting_failure(pod: str, container: str, image: str, waiting: Mapping[str, Any]) -> Failure | None:
    """Return why a container cannot start, None where it is merely on its way."""
    reason = str(waiting.get("reason", ""))
    explain = _EXPLANATIONS.get(reason)
    if explain is None:
        return None
    message = str(waiting.get("message", ""))
    stable, cause, remedy = explain(reason, image, message)
    return Failure(reason=stable, cause=cause, remedy=remedy, pod=pod, container=container, detail=message)


def _image(reason: str, image: str, message: str) -> tuple[str, str, str]:
    """One reason for all attempts: the kubelet alternates between two, and status would alternate with it."""
    detail = _PULLING.sub("", message).strip()
    stable = "ImagePullBackOff" if reason in ("ErrImagePull", "ImagePullBackOff") else reason
    cause = f"image {image!r} cannot be pulled" + (f": {detail}" if detail else "")
    return stable, cause.rstrip("."), _image_remedy(detail.lower())


def _image_remedy(detail: str) -> str:
    if any(word in detail for word in ("not found", "manifest unknown", "does not exist", "name unknown")):
        return "Check the name and tag, and that the image was pushed"
    if any(word in detail for word in ("unauthorized", "authentication", "denied", "forbidden", "401", "403")):
        return "Check the name, and give the pod registry credentials with imagePullSecrets"
    if "x509" in detail or "certificate" in detail:
        return "The node does not trust the registry's certificate: configure its container runtime"
    if any(word in detail for word in ("no such host", "refused", "timeout", "i/o", "unreachable")):
        return "The node cannot reach the registry: check its host name and the network"
    return "Check the image's name and tag, and that nodes may pull it"


def _invalid_name(reason: str, image: str, message: str) -> tuple[str, str, str]:
    return reason, f"{image!r} is not an image name", "Write it as registry/repository:tag in lower case"


def _config(reason: str, image: str, message: str) -> tuple[str, str, str]:
    if found := _MISSING.search(message):
        kind = {"secret": "Secret", "configmap": "ConfigMap"}[found[1].lower()]
        return reason, f"{kind} {found[2]!r} does not exist", "Create it; the pod then starts by itself"
    if found := _MISSING_KEY.search(message):
        place = found[3].rstrip(".").split("/")[-1]
        return reason, f"{found[2]} {place!r} has no key {found[1]!r}", "Add the key; the pod then starts by itself"
    if "runAsNonRoot" in message:
        return (
            reason,
            f"image {image!r} does not name a numeric user other than root, and the pod must not run as root",
            "Set securityContext.runAsUser to a number such as 1000, or build the image with a numeric USER; "
            "runAsNonRoot: false allows root where the namespace does",
        )
    if "subPath" in message:
        return reason, message.rstrip("."), "Check that the path exists in the volume"
    return reason, message.rstrip(".") or "its configuration is refused", "Correct what the message names"


def _create(reason: str, image: str, message: str) -> tuple[str, str, str]:
    if "unable to start container process" in message:
        # The kubelet says it twice, here and as the container's end; one wording for both.
        return CANNOT_START, f"{COMMAND_FAILED}: {without_runtime(message)}", COMMAND_REMEDY
    cause = f"it cannot be created: {message.rstrip('.')}" if message else "it cannot be created"
    return reason, cause, "Check command, mounts and security context; kubectl describe pod has the details"


_EXPLANATIONS: dict[str, Callable[[str, str, str], tuple[str, str, str]]] = {
    "ImagePullBackOff": _image,
    "ErrImagePull": _image,
    "ErrImageNeverPull": _image,
    "ImageInspectError": _image,
    "RegistryUnavailable": _image,
    "SignatureValidationFailed": _image,
    "InvalidImageName": _invalid_name,
    "CreateContainerConfigError": _config,
    "CreateContainerError": _create,
    "RunContainerError": _create,
    "PreCreateHookError": _create,
    "PreStartHookError": _create,
    "PostStartHookError": _create,
}
