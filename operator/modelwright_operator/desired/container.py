"""The model's container: what its author wrote, and what serving it needs besides."""

from typing import Any

from modelwright_operator import labels
from modelwright_operator.desired.arguments import server_arguments
from modelwright_operator.desired.ports import container_ports
from modelwright_operator.desired.probes import probes
from modelwright_operator.desired.quantities import InvalidQuantityError, value_of
from modelwright_operator.desired.storage import Weights
from modelwright_operator.desired.storage_uri import STORAGE_URI
from modelwright_operator.desired.subject import Subject
from modelwright_operator.settings import Settings

SERVICE_NAME_ENV = "INFERENCE_SERVICE_NAME"


def main_container(
    written: dict[str, Any], subject: Subject, settings: Settings, weights: Weights, grace: int
) -> dict[str, Any]:
    """Return the model's container for what its author wrote.

    `grace` is the pod's termination grace period in seconds, within which the preStop hook must end.
    """
    container = {**written, "name": labels.MAIN_CONTAINER}
    container["args"] = [*(written.get("args") or []), *server_arguments(subject.predictor)]
    container["ports"] = container_ports(subject)
    container["env"] = _env(written.get("env") or [], subject.name)
    container["resources"] = completed_resources(written.get("resources") or {}, settings)
    container["volumeMounts"] = [*(written.get("volumeMounts") or []), *weights.mounts]
    for field, probe in probes(subject, settings).items():
        container.setdefault(field, probe)
    seconds = min(settings.prestop_seconds, grace // 2)
    if seconds > 0:
        hook = {"preStop": {"sleep": {"seconds": seconds}}}
        container["lifecycle"] = {**hook, **(written.get("lifecycle") or {})}
    return container


def _env(written: list[dict[str, Any]], service_name: str) -> list[dict[str, Any]]:
    """Return the environment: STORAGE_URI becomes the local path, and of a repeated name the last one counts.

    The last counts for the kubelet too, but server-side apply refuses a list that names one twice.
    """
    entries: dict[str, dict[str, Any]] = {}
    for entry in written:
        name = str(entry.get("name"))
        entries.pop(name, None)
        entries[name] = {"name": name, "value": labels.MODELS_PATH} if name == STORAGE_URI else entry
    entries.setdefault(SERVICE_NAME_ENV, {"name": SERVICE_NAME_ENV, "value": service_name})
    return list(entries.values())


def completed_resources(written: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the resources with KServe's defaults where the author gives none.

    Where only one of request and limit is given, the default for the other never contradicts it: KServe's
    does, and the Deployment is then refused.
    """
    requests, limits = dict(written.get("requests") or {}), dict(written.get("limits") or {})
    for name, default in (("cpu", settings.default_cpu), ("memory", settings.default_memory)):
        request, limit = requests.get(name), limits.get(name)
        requests.setdefault(name, _nearer(default, limit, smallest=True))
        limits.setdefault(name, _nearer(default, request, smallest=False))
    return {**written, "requests": requests, "limits": limits}


def _nearer(default: str, given: str | float | None, *, smallest: bool) -> str | float:
    """Return the smaller (or larger) of the default and what is given."""
    if given is None:
        return default
    try:
        pick = min if smallest else max
        return pick((default, given), key=value_of)
    except InvalidQuantityError:
        return given
