"""What is wrong with an InferenceService that neither the schema nor CEL could refuse at `kubectl apply`."""

import re
from collections import Counter
from collections.abc import Iterator

from modelwright_operator import labels
from modelwright_operator.addresses import MAX_LABEL, host, route_kind
from modelwright_operator.api import InferenceService
from modelwright_operator.desired.credentials import secret_names
from modelwright_operator.desired.images import named_images
from modelwright_operator.desired.inputs import Inputs
from modelwright_operator.desired.problem import Problem
from modelwright_operator.desired.service import service_ports
from modelwright_operator.desired.storage import RESERVED_VOLUMES
from modelwright_operator.desired.storage_uri import SCHEMES, STORAGE_URI, claim_of, scheme_of, storage_uri
from modelwright_operator.desired.subject import Subject
from modelwright_operator.desired.worker_problems import worker_problems
from modelwright_operator.settings import Settings

_DNS_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_AUTOSCALERS = ("hpa", "none", "external")


def problems(isvc: InferenceService, settings: Settings, inputs: Inputs | None = None) -> list[Problem]:
    """Return what is wrong, empty when children can be made.

    `inputs` lets problems be found that depend on the ServiceAccount.
    """
    subject = Subject(isvc)
    found = [Problem(field.path, field.message) for field in isvc.unsupported()]
    if subject.stopped:
        return found
    if not subject.main_container:
        found.append(_no_container())
        return found
    found += _naming(subject, settings)
    found += _scaling(subject)
    found += worker_problems(subject)
    found += _routing(subject, settings)
    found += _storage(subject, inputs or Inputs())
    found += _images(subject, inputs or Inputs())
    return found


def _no_container() -> Problem:
    return Problem(
        "spec.predictor.containers",
        f"there is no container to serve the model; give one, or name one of several {labels.MAIN_CONTAINER}",
    )


def _naming(subject: Subject, settings: Settings) -> Iterator[Problem]:
    if len(subject.component_name) > MAX_LABEL:
        yield Problem(
            "metadata.name",
            f"{subject.component_name!r}, the name of the Service, has more than {MAX_LABEL} characters; choose a "
            f"name of at most {MAX_LABEL - len(labels.PREDICTOR) - 1}",
        )
        return
    if route_kind(subject.isvc.metadata.labels, settings) == "none":
        return
    # The component's host first: it is the longer one.
    hosts = [host(name, subject.namespace, settings) for name in (subject.component_name, subject.name)]
    if found := next((problem for text in hosts if (problem := _host_problem(text))), None):
        yield Problem("metadata.name", found)


def _host_problem(text: str) -> str | None:
    for part in text.split("."):
        if len(part) > MAX_LABEL:
            return (
                f"the host {text!r} has a part of {len(part)} characters and DNS allows {MAX_LABEL}; shorten the name "
                f"or the namespace by {len(part) - MAX_LABEL}, set another domain template, or keep the service inside "
                f"the cluster with the label {labels.VISIBILITY}: {labels.CLUSTER_LOCAL}"
            )
        if not _DNS_LABEL.match(part):
            return f"{text!r} is not a host name: {part!r} is not a DNS label; check the domain template"
    if len(text) > 253:
        return f"the host {text!r} has {len(text)} characters and DNS allows 253; shorten the name or the domain"
    return None


def _scaling(subject: Subject) -> Iterator[Problem]:
    predictor = subject.predictor
    if subject.autoscaler_class not in _AUTOSCALERS:
        yield Problem(
            f"metadata.annotations[{labels.AUTOSCALER_CLASS}]",
            f"{subject.autoscaler_class!r} is not supported; use hpa, none (a fixed number, minReplicas) or external",
        )
    if predictor.min_replicas is not None and predictor.min_replicas < 1:
        yield Problem(
            "spec.predictor.minReplicas",
            f'must be at least 1; to run no pods set the annotation {labels.STOP}: "true"',
        )
    if predictor.scale_metric == "memory" and predictor.scale_target is None:
        yield Problem("spec.predictor.scaleTarget", "is needed with scaleMetric memory: percent of the memory request")


def _routing(subject: Subject, settings: Settings) -> Iterator[Problem]:
    kind = route_kind(subject.isvc.metadata.labels, settings)
    if subject.predictor.timeout is not None and kind != "HTTPRoute":
        reason = "an Ingress has no timeout" if kind == "Ingress" else "the service has no route"
        yield Problem(
            "spec.predictor.timeout",
            f"cannot take effect: {reason}; remove it, or have the operator use HTTPRoutes (routeKind HTTPRoute)",
        )
    ports = service_ports(subject)
    repeated = [number for number, times in Counter(port["port"] for port in ports).items() if times > 1]
    if repeated:
        yield Problem(
            "spec.predictor.containers.ports",
            f"port {repeated[0]} of the Service would lead to two container ports; the first port is served on 80, "
            "later ones on their own number: use different numbers",
        )


def _images(subject: Subject, inputs: Inputs) -> Iterator[Problem]:
    for named in named_images(subject.predictor):
        built = inputs.images.get(named.reference)
        if built is None:
            remedy = f"create it in {subject.namespace}, or correct the name"
            yield Problem(named.field, f"{named.label} does not exist; {remedy}", "ImageMissing")
        elif not built.image and built.failed:
            text = f"{named.label} could not be built: {built.message.rstrip('. ')}; see: {named.look}"
            yield Problem(named.field, text, "ImageBuildFailed")
        elif not built.image:
            text = f"{named.label} is not built yet ({built.reason or 'nothing said so far'}); see: {named.look}"
            yield Problem(named.field, text, "ImageNotBuilt", blocking=False)


def _storage(subject: Subject, inputs: Inputs) -> Iterator[Problem]:
    container = subject.main_container
    field = "spec.predictor.storageUri"
    if subject.predictor.storage_uri is None:
        field = f"spec.predictor.containers[{labels.MAIN_CONTAINER}].env[{STORAGE_URI}]"
        if any(e.get("name") == STORAGE_URI and e.get("valueFrom") for e in container.get("env") or []):
            yield Problem(field, "must be a plain value, because the pod's volumes depend on it; write the URI out")
    uri = storage_uri(subject)
    if uri is None:
        return
    if scheme_of(uri) not in SCHEMES:
        yield Problem(field, f"{uri!r} has no known scheme; use one of {', '.join(f'{s}://' for s in SCHEMES)}")
    claim = claim_of(uri)
    if claim and (message := claim.problem()):
        yield Problem(field, message)
    if any(m.get("mountPath", "").rstrip("/") == labels.MODELS_PATH for m in container.get("volumeMounts") or []):
        yield Problem(field, f"weights go to {labels.MODELS_PATH}, where the container mounts a volume; remove one")
    pod = subject.predictor.pod_spec()
    taken = {volume.get("name") for volume in pod.get("volumes") or []} & set(RESERVED_VOLUMES)
    if taken:
        yield Problem("spec.predictor.volumes", f"{sorted(taken)} are names for the weights' volumes; rename yours")
    if any(c.get("name") == labels.INITIALIZER for c in pod.get("initContainers") or []):
        yield Problem("spec.predictor.initContainers", f"{labels.INITIALIZER} fetches the weights; rename yours")
    if scheme_of(uri) == "gs" and len(secrets := secret_names(subject, inputs)) > 1:
        yield Problem(
            f"metadata.annotations[{labels.STORAGE_SECRET_NAME}]",
            f"the ServiceAccount lists the Secrets {secrets} and only one can hold the Google key; name it here",
        )
