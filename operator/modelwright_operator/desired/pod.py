"""The pod template: the author's pod, completed."""

from typing import Any

from modelwright_operator.desired.canonical import stored_form
from modelwright_operator.desired.container import main_container
from modelwright_operator.desired.images import image_of
from modelwright_operator.desired.inputs import Inputs
from modelwright_operator.desired.security import secure_container, secure_pod
from modelwright_operator.desired.storage import weights
from modelwright_operator.desired.subject import Subject
from modelwright_operator.settings import Settings


def pod_template(subject: Subject, settings: Settings, inputs: Inputs) -> dict[str, Any]:
    """Return the pod template. It depends on the predictor, never on labels of the InferenceService.

    So labelling an InferenceService, which deployment tools do all the time, restarts nothing.
    """
    metadata: dict[str, Any] = {"labels": {**subject.predictor.labels, **subject.identity_labels}}
    if subject.predictor.annotations:
        metadata["annotations"] = dict(subject.predictor.annotations)
    return {"metadata": metadata, "spec": stored_form(_pod_spec(subject, settings, inputs))}


def _pod_spec(subject: Subject, settings: Settings, inputs: Inputs) -> dict[str, Any]:
    pod = subject.predictor.pod_spec()
    weight = weights(subject, settings, inputs)
    main = subject.main_container
    grace = pod.setdefault("terminationGracePeriodSeconds", settings.prestop_seconds + settings.drain_seconds)
    pod.setdefault("automountServiceAccountToken", settings.automount_service_account_token)
    pod["containers"] = [
        main_container(container, subject, settings, weight, grace) if container == main else container
        for container in pod.get("containers") or []
    ]
    pod["initContainers"] = [*(pod.get("initContainers") or []), *weight.init_containers]
    pod["volumes"] = [*(pod.get("volumes") or []), *weight.volumes]
    for field in ("containers", "initContainers"):
        pod[field] = [_completed(container, pod, settings, inputs) for container in pod[field]]
    if settings.pod_security == "restricted":
        pod["securityContext"] = secure_pod(pod)
    return pod


def _completed(container: dict[str, Any], pod: dict[str, Any], settings: Settings, inputs: Inputs) -> dict[str, Any]:
    """Return any container with what diagnosis and Pod Security need."""
    # The last lines of a failed container's log become its termination message, which is where status reads
    # them.
    result = {"terminationMessagePolicy": "FallbackToLogsOnError", **container}
    if "image" in result:
        result["image"] = image_of(str(result["image"]), inputs.images)
    if settings.pod_security == "restricted":
        result["securityContext"] = secure_container(container, pod)
    return result
