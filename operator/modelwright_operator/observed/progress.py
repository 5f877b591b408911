"""What a pod that is on its way is doing, in words."""

from collections.abc import Mapping
from typing import Any

from modelwright_operator import labels
from modelwright_operator.observed.mounting import CREATING
from modelwright_operator.observed.text import without_credentials

Pod = Mapping[str, Any]

_MODELS = (labels.MAIN_CONTAINER, labels.WORKER_CONTAINER)


def pod_progress(pod: Pod) -> str:
    """Return what the pod waits for."""
    status = pod.get("status") or {}
    for state in status.get("initContainerStatuses") or []:
        current = state.get("state") or {}
        if "running" in current and not state.get("ready") and not _is_sidecar(pod, state.get("name")):
            return _init_progress(pod, str(state.get("name", "")))
    main: Mapping[str, Any] = next((s for s in status.get("containerStatuses") or [] if s.get("name") in _MODELS), {})
    state = main.get("state") or {}
    if "running" in state and main["name"] == labels.WORKER_CONTAINER:
        return f"it runs, but has not joined Ray yet (why: kubectl logs {(pod.get('metadata') or {}).get('name', '')})"
    if "running" in state:
        return _running(pod, bool(main.get("started")))
    if (state.get("waiting") or {}).get("reason") in CREATING:
        return _creating(pod)
    return "it waits for a node"


def model_is_loading(pod: Pod) -> bool:
    """Return whether the pod is past scheduling: fetching weights, or with its server started."""
    status = pod.get("status") or {}
    states = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return any("running" in (state.get("state") or {}) for state in states)


def _init_progress(pod: Pod, name: str) -> str:
    if name != labels.INITIALIZER:
        return f"init container {name} runs"
    spec = _container(pod, "initContainers", name)
    uri = next(iter(spec.get("args") or []), "")
    return f"{name} fetches the weights from {without_credentials(str(uri))}"


def _running(pod: Pod, started: bool) -> str:
    spec = _container(pod, "containers", labels.MAIN_CONTAINER)
    which = "readiness" if started or "startupProbe" not in spec else "startup"
    asked = _question(spec.get(f"{which}Probe") or {})
    return f"the server runs, but its {which} probe does not succeed yet{asked}"


def _question(probe: Mapping[str, Any]) -> str:
    if http := probe.get("httpGet"):
        return f" (GET :{http.get('port')}{http.get('path', '')})"
    if tcp := probe.get("tcpSocket"):
        return f" (TCP :{tcp.get('port')})"
    return ""


def _creating(pod: Pod) -> str:
    """Containers are created once the image is there and every volume is mounted, so name what is mounted."""
    sources = []
    for volume in (pod.get("spec") or {}).get("volumes") or []:
        if secret := volume.get("secret"):
            sources.append(f"Secret {secret.get('secretName')}")
        if config := volume.get("configMap"):
            sources.append(f"ConfigMap {config.get('name')}")
        if claim := volume.get("persistentVolumeClaim"):
            sources.append(f"PersistentVolumeClaim {claim.get('claimName')}")
    if not sources:
        return "its containers are being created"
    return (
        f"its containers are being created, with {', '.join(sources)} to mount (if it stays so: kubectl describe pod)"
    )


def _container(pod: Pod, field: str, name: str) -> Mapping[str, Any]:
    containers = (pod.get("spec") or {}).get(field) or []
    found: Mapping[str, Any] = next((c for c in containers if c.get("name") == name), {})
    return found


def _is_sidecar(pod: Pod, name: object) -> bool:
    return _container(pod, "initContainers", str(name)).get("restartPolicy") == "Always"
