"""What is wrong with a workerSpec that was stored before this CRD's rules held, or that only its surroundings tell."""

from collections.abc import Iterator

from modelwright_operator import labels
from modelwright_operator.api.workers import RESERVED_ENV, refusal
from modelwright_operator.desired.problem import Problem
from modelwright_operator.desired.ray import VOLUMES
from modelwright_operator.desired.subject import Subject

_FIELD = "spec.predictor.workerSpec"


def worker_problems(subject: Subject) -> Iterator[Problem]:
    """Yield what keeps a model from spanning pods; nothing for one that has no workers."""
    workers = subject.workers
    if workers is None:
        return
    for name in workers.refused:
        yield Problem(f"{_FIELD}.{name}", refusal(name))
    if subject.autoscaler_class != "none":
        yield Problem(
            f"metadata.annotations[{labels.AUTOSCALER_CLASS}]",
            f"{subject.autoscaler_class!r} cannot scale a model that spans pods; set none, or remove it",
        )
    if max(subject.predictor.min_replicas or 1, subject.predictor.max_replicas or 1) > 1:
        yield Problem(_FIELD, "its pods serve one copy of the model; remove minReplicas and maxReplicas")
    if workers.size is not None and workers.pipeline_parallel_size not in (None, workers.nodes):
        yield Problem(f"{_FIELD}.size", f"must be pipelineParallelSize - 1, not {workers.size}; change one of the two")
    for container in (subject.main_container, workers.container):
        if taken := {entry.get("name") for entry in container.get("env") or []} & set(RESERVED_ENV):
            yield Problem(_FIELD, f"{sorted(taken)} of a container's env come from the operator; remove them there")
    names = {volume.get("name") for volume in subject.predictor.pod_spec().get("volumes") or []}
    if taken := names & set(VOLUMES):
        yield Problem("spec.predictor.volumes", f"{sorted(taken)} are names for Ray's volumes; rename yours")
