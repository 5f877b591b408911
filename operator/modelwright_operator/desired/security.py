"""What Pod Security `restricted` asks of a pod, filled in field by field where the author says nothing."""

from typing import Any


def secure_pod(pod: dict[str, Any]) -> dict[str, Any]:
    """Return the pod's securityContext with the missing fields of `restricted`.

    `runAsNonRoot` stays unset where the author chose user 0: the pod is then refused by a hardened
    namespace, with that namespace's own message, and runs everywhere else.
    """
    context = dict(pod.get("securityContext") or {})
    if _is_windows(pod):
        return context
    if context.get("runAsUser") != 0:
        context.setdefault("runAsNonRoot", True)
    context.setdefault("seccompProfile", {"type": "RuntimeDefault"})
    return context


def secure_container(container: dict[str, Any], pod: dict[str, Any]) -> dict[str, Any]:
    """Return the container's securityContext with the missing fields of `restricted`.

    A privileged container is left alone: Kubernetes refuses the combination, and its author asked for it in
    so many words.
    """
    context = dict(container.get("securityContext") or {})
    capabilities = dict(context.get("capabilities") or {})
    added = capabilities.get("add") or []
    if _is_windows(pod) or context.get("privileged"):
        return context
    if not {"SYS_ADMIN", "CAP_SYS_ADMIN"} & set(added):
        context.setdefault("allowPrivilegeEscalation", False)
    if context.get("runAsUser") == 0:
        # Only this container: without it the pod's runAsNonRoot would refuse what the author asked for.
        context.setdefault("runAsNonRoot", False)
    capabilities.setdefault("drop", ["ALL"])
    context["capabilities"] = capabilities
    return context


def _is_windows(pod: dict[str, Any]) -> bool:
    return bool((pod.get("os") or {}).get("name") == "windows")
