"""spec.predictor.workerSpec: the other pods of a model that spans several, as KServe writes it."""

import json
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from modelwright_operator.api import podspec
from modelwright_operator.api.base import ApiModel
from modelwright_operator.api.rule import Rule

Schema = dict[str, Any]

OVERRIDES = ("nodeSelector", "tolerations", "priorityClassName", "runtimeClassName")
"""What may differ between the workers' pods and the predictor's, beside the container."""

CONTAINER_FIELDS = (
    "name", "image", "imagePullPolicy", "command", "args", "env", "envFrom", "resources", "volumeMounts",
)  # fmt: skip
"""What a worker's container may have in the place of what the predictor's has."""

RESERVED_ENV = (
    "RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_GCS_SERVER_PORT", "RAY_NODE_COUNT",
    "PIPELINE_PARALLEL_SIZE", "TENSOR_PARALLEL_SIZE",
)  # fmt: skip
"""Environment that comes from workerSpec and from nowhere else."""


class WorkerSpec(ApiModel):
    """The worker pods; what Kubernetes has of a pod is kept as the plain dictionary it came as."""

    model_config = ConfigDict(extra="allow")

    size: Annotated[
        int | None,
        Field(
            ge=1, le=1000, description="Worker pods beside the predictor's. Default: pipelineParallelSize - 1, or 1."
        ),
    ] = None
    pipeline_parallel_size: Annotated[
        int | None,
        Field(
            ge=1,
            le=1001,
            description="Pods in all, the predictor's counted; the containers have it as PIPELINE_PARALLEL_SIZE.",
        ),
    ] = None
    tensor_parallel_size: Annotated[
        int | None,
        Field(ge=1, description="What the containers have as TENSOR_PARALLEL_SIZE, for engines that read it."),
    ] = None

    @property
    def count(self) -> int:
        """How many worker pods there are to be."""
        if self.size is not None:
            return self.size
        return max(1, (self.pipeline_parallel_size or 2) - 1)

    @property
    def nodes(self) -> int:
        """How many pods there are in all."""
        return self.count + 1

    @property
    def container(self) -> dict[str, Any]:
        """What differs from the predictor's container, as written. Shared with the parsed object: read, do not edit."""
        written: list[dict[str, Any]] = (self.model_extra or {}).get("containers") or []
        return written[0] if written else {}

    @property
    def overrides(self) -> dict[str, Any]:
        """What differs from the predictor's pod. Shared with the parsed object: read, do not edit."""
        return {name: value for name, value in (self.model_extra or {}).items() if name in OVERRIDES}

    @property
    def refused(self) -> tuple[str, ...]:
        """The fields of a pod that are set and have no effect, which only an object stored before this CRD can have."""
        return tuple(sorted((self.model_extra or {}).keys() - {*OVERRIDES, "containers"}))


def refusal(field: str) -> str:
    """Return why a field of a pod is refused, and the remedy."""
    return (
        f"spec.predictor.workerSpec.{field} is not supported: the workers' pods have the predictor's; "
        f"set spec.predictor.{field}, or remove it"
    )


def refused_fields() -> dict[str, str]:
    """Return the fields of a PodSpec that workerSpec refuses, with their JSON types."""
    fields = podspec.pod_spec()["properties"]
    kept = {*OVERRIDES, "containers"}
    return {name: str(schema.get("type", "object")) for name, schema in fields.items() if name not in kept}


def extended(schema: Schema) -> Schema:
    """Return WorkerSpec's own structural schema with those of a pod's fields, undescribed, since a CRD has limits."""
    pod = podspec.pod_spec()["properties"]
    container = pod["containers"]["items"]
    container = container | {"properties": {name: container["properties"][name] for name in CONTAINER_FIELDS}}
    fields = {name: pod[name] for name in OVERRIDES} | {"containers": pod["containers"] | {"items": container}}
    # Kubernetes' own minimum is none, and more than one is refused with a remedy.
    properties = schema["properties"] | _undescribed(fields)
    for name, type_ in refused_fields().items():
        properties[name] = _refused(name, type_)
    return schema | {"properties": properties}


def _refused(name: str, type_: str) -> Schema:
    rule = Rule(rule="false", message=refusal(name), for_new=True)
    schema: Schema = {"type": type_, "x-kubernetes-validations": [rule.render()]}
    if type_ == "object":
        schema["x-kubernetes-preserve-unknown-fields"] = True
    if type_ == "array":
        schema["items"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return schema


def _undescribed(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {
            key: _undescribed(item) for key, item in value.items() if key != "description" or isinstance(item, dict)
        }
    return [_undescribed(item) for item in value] if isinstance(value, list) else value


_NO_RESERVED_ENV = f"has(c.env) && c.env.exists(e, e.name in {json.dumps(RESERVED_ENV)})".replace('"', "'")

WORKER_RULES = (
    Rule(
        rule="!has(self.pipelineParallelSize) || self.pipelineParallelSize >= 2",
        message="spec.predictor.workerSpec.pipelineParallelSize counts the predictor's pod too, so that 1 leaves no "
        "worker: set 2 or more, or remove workerSpec",
        field=".pipelineParallelSize",
    ),
    Rule(
        rule="!has(self.size) || !has(self.pipelineParallelSize) || self.size == self.pipelineParallelSize - 1",
        message="spec.predictor.workerSpec.size must be pipelineParallelSize - 1, because the predictor's pod is one "
        "of them: change one, or remove size",
        field=".size",
    ),
    Rule(
        rule="!has(self.containers) || size(self.containers) <= 1",
        message="spec.predictor.workerSpec.containers may have one container, which is the worker's: move others to "
        "spec.predictor",
        field=".containers",
    ),
    Rule(
        rule=f"!has(self.containers) || self.containers.all(c, !({_NO_RESERVED_ENV}))",
        message="spec.predictor.workerSpec.containers sets RAY_ADDRESS, RAY_AUTH_*, RAY_NODE_COUNT, "
        "RAY_GCS_SERVER_PORT or a *_PARALLEL_SIZE, which workerSpec sets: remove it",
        field=".containers",
    ),
)
"""Rules on workerSpec alone."""

PREDICTOR_RULES = (
    Rule(
        rule="!has(self.workerSpec) || ((!has(self.minReplicas) || self.minReplicas <= 1) && "
        "(!has(self.maxReplicas) || self.maxReplicas <= 1))",
        message="spec.predictor.minReplicas and maxReplicas must be 1 or unset with workerSpec, whose pods serve one "
        "copy of the model: raise workerSpec.size, or apply a second InferenceService",
        field=".workerSpec",
    ),
    Rule(
        rule="!has(self.workerSpec) || !(has(self.scaleMetric) || has(self.scaleTarget) || has(self.scaleMetricType))",
        message="spec.predictor.scaleMetric, scaleTarget and scaleMetricType have no effect with workerSpec, because "
        "no autoscaler can add a worker to a model that has started: remove them and set workerSpec.size",
        field=".workerSpec",
    ),
    Rule(
        rule=f"!has(self.workerSpec) || !has(self.containers) || self.containers.all(c, !({_NO_RESERVED_ENV}))",
        message="one of spec.predictor.containers sets RAY_ADDRESS, RAY_AUTH_*, RAY_NODE_COUNT, RAY_GCS_SERVER_PORT "
        "or a *_PARALLEL_SIZE, which workerSpec sets: remove it",
        field=".containers",
    ),
)
"""Rules between workerSpec and the predictor's other fields."""
