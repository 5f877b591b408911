"""Volumes that cannot be mounted: why, and what to do. A pod's status does not say; the kubelet's events do."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from modelwright_operator.observed.failure import Failure
from modelwright_operator.observed.observation import MountEvent

Pod = Mapping[str, Any]

CREATING = ("ContainerCreating", "PodInitializing")
"""Why a container waits while the kubelet prepares its pod."""

_MADE_FROM_NOTHING = ("emptyDir", "downwardAPI")
_KINDS = {"secret": "Secret", "configmap": "ConfigMap", "persistentvolumeclaim": "PersistentVolumeClaim"}
# "persistentvolumeclaims" is what the API server calls what the kubelet asked it for.
_MISSING = re.compile(r'\b(secret|configmap|persistentvolumeclaim)s? "([^"]+)" not found')
_MISSING_KEY = re.compile(r"references non-existent (secret|config) key: ([^\s,\]]+)")
_VOLUME = re.compile(r'\bfor volume "([^"]+)"\s*:?\s*')
# The kubelet has not heard of the pod's objects yet, although they may exist; it asks again within seconds.
_NOT_HEARD_YET = re.compile(r"\bnot registered\b|failed to sync (?:secret|configmap) cache")


def waits_for_volumes(pod: Pod) -> bool:
    """Return whether the pod has volumes that can fail and may still wait for one.

    The pod is on its node and none of its containers has started, and its sandbox, which the kubelet makes once
    every volume is mounted, is not known to exist: past that point it is the image that a container waits for.
    """
    status = pod.get("status") or {}
    states = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    if not states or not all(map(_is_being_created, states)):
        return False
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodReadyToStartContainers" and condition.get("status") == "True":
            return False
    return any(not any(kind in volume for kind in _MADE_FROM_NOTHING) for volume in _volumes(pod))


def mount_failure(pod: Pod, event: MountEvent) -> Failure | None:
    """Return why a volume cannot be mounted, None where the kubelet is about to try again."""
    message = event.message
    if _NOT_HEARD_YET.search(message):
        return None
    found = _VOLUME.search(message)
    volume = found[1] if found else ""
    cause, remedy, blocking = _explained(pod, volume, message)
    if found:
        verb = "attached" if event.reason == "FailedAttachVolume" else "mounted"
        cause = f"volume {volume!r} cannot be {verb}: {cause}"
    return Failure(
        reason=event.reason,
        cause=cause.rstrip("."),
        remedy=remedy,
        pod=_name(pod),
        container=_user_of(pod, volume),
        detail=message,
        blocking=blocking,
    )


def _explained(pod: Pod, volume: str, message: str) -> tuple[str, str, bool]:
    """Return cause, remedy, and whether waiting cannot help."""
    missing = [f"{_KINDS[kind]} {name!r}" for kind, name in dict.fromkeys(_MISSING.findall(message))]
    if missing:
        verb, them = ("do", "them") if len(missing) > 1 else ("does", "it")
        return f"{' and '.join(missing)} {verb} not exist", f"Create {them}; the pod then starts by itself", True
    if key := _MISSING_KEY.search(message):
        kind = "Secret" if key[1] == "secret" else "ConfigMap"
        owners = " or ".join(sorted({f"{kind} {name!r}" for name in _sources(pod, volume, kind, key[2])}))
        return f"{owners or f'its {kind}'} has no key {key[2]!r}", "Add the key; the pod then starts by itself", True
    return _VOLUME.split(message)[-1].strip(), f"See: kubectl describe pod {_name(pod)}", False


def _sources(pod: Pod, volume: str, kind: str, key: str) -> Iterator[str]:
    """Yield the names of the Secrets, or ConfigMaps, of which the volume wants this key."""
    for one in _volumes(pod):
        if one.get("name") != volume:
            continue
        for source in [one, *((one.get("projected") or {}).get("sources") or [])]:
            wanted = source.get("secret" if kind == "Secret" else "configMap") or {}
            if any(item.get("key") == key for item in wanted.get("items") or []):
                yield str(wanted.get("secretName") or wanted.get("name", ""))


def _user_of(pod: Pod, volume: str) -> str:
    """Return the first container that mounts the volume; a claim's is told by another name than the pod's own."""
    spec = pod.get("spec") or {}
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        if any(mount.get("name") == volume for mount in container.get("volumeMounts") or []):
            return str(container.get("name", ""))
    return ""


def _is_being_created(container: Mapping[str, Any]) -> bool:
    waiting = (container.get("state") or {}).get("waiting") or {}
    return waiting.get("reason") in CREATING and not (container.get("lastState") or {}).get("terminated")


def _volumes(pod: Pod) -> list[Mapping[str, Any]]:
    return (pod.get("spec") or {}).get("volumes") or []


def _name(pod: Pod) -> str:
    return str((pod.get("metadata") or {}).get("name", ""))
