"""spec.predictor: the server's own settings, and beside them everything that a PodSpec may hold."""

import copy
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from modelwright_operator.api.base import ApiModel
from modelwright_operator.api.unsupported import PREDICTOR_NAMES
from modelwright_operator.api.workers import WorkerSpec

SERVER_CONTAINER = "kserve-container"
"""The container that serves the model; a sole container is given this name."""

SERVER_FIELDS = {
    "workers": "--workers",
    "httpPort": "--http_port",
    "grpcPort": "--grpc_port",
    "maxAsyncioWorkers": "--max_asyncio_workers",
    "enableLatencyLogging": "--enable_latency_logging",
    "batching.maxBatchSize": "--max_batch_size",
    "batching.maxLatency": "--max_batch_latency_ms",
    "batching.timeout": "--batch_timeout",
}
"""The typed server fields (their paths as written in YAML) and the argument that each becomes."""

Port = Annotated[int, Field(ge=1, le=65535)]


class Batching(ApiModel):
    """How the server answers concurrent requests together; the names are those of KServe's batcher."""

    max_batch_size: Annotated[
        int | None,
        Field(
            ge=1,
            description="Rows (V1: instances) of concurrent requests that one call of the model may answer. 1 is no "
            "batching. Becomes the argument --max_batch_size.",
        ),
    ] = None
    max_latency: Annotated[
        int | None,
        Field(
            ge=0,
            description="Milliseconds for which a request may be held so that others can join it. Becomes the "
            "argument --max_batch_latency_ms. The server's default is 5.",
        ),
    ] = None
    timeout: Annotated[
        int | None,
        Field(
            ge=1,
            description="Seconds after which a call of the model is given up. Becomes the argument "
            "--batch_timeout. The server's default is 60.",
        ),
    ] = None


class PredictorSpec(ApiModel):
    """The predictor: one model server, its replicas and its weights.

    The pod's own part (containers, volumes, serviceAccountName, ...) is kept as the plain dictionary it came
    as: it is Kubernetes' type, the kube-apiserver has validated it, and modelling it would cost more than
    all the rest.
    """

    model_config = ConfigDict(extra="allow")

    workers: Annotated[
        int | None,
        Field(
            ge=1,
            description="Processes that serve requests in one container. Becomes the argument --workers. "
            "The server's default is 1.",
        ),
    ] = None
    http_port: Annotated[
        Port | None,
        Field(
            description="Port on which the container serves REST. Becomes the argument --http_port and the "
            "container's first port. The server's default is 8080.",
        ),
    ] = None
    grpc_port: Annotated[
        Port | None,
        Field(
            description="Port on which the container serves gRPC. Becomes the argument --grpc_port and a "
            "container port named h2c-port. The server's default is 8081.",
        ),
    ] = None
    max_asyncio_workers: Annotated[
        int | None,
        Field(
            ge=1,
            description="Threads that the server's event loop may use for blocking code. Becomes the "
            "argument --max_asyncio_workers. The server's default is min(32, CPU limit + 4).",
        ),
    ] = None
    enable_latency_logging: Annotated[
        bool | None,
        Field(
            description="Whether the server logs how long each request's preprocess, predict and "
            "postprocess took. Becomes the argument --enable_latency_logging.",
        ),
    ] = None
    batching: Annotated[
        Batching | None,
        Field(
            description="Answering concurrent requests by one call of the model: maxBatchSize (rows), maxLatency "
            "(milliseconds) and timeout (seconds)."
        ),
    ] = None
    storage_uri: Annotated[
        str | None,
        Field(
            max_length=8192,
            description="Where the model's files are; the container finds them in /mnt/models. "
            "pvc://claim/path is mounted read-only; s3://, gs://, hf://, https://, http:// and file:// are "
            "fetched by an init container.",
        ),
    ] = None
    min_replicas: Annotated[
        int | None,
        Field(
            description="Fewest pods, at least 1. Default 1. To run no pods, annotate the InferenceService "
            'with serving.kserve.io/stop: "true".',
        ),
    ] = None
    max_replicas: Annotated[
        int | None,
        Field(
            ge=1,
            description="Most pods that the autoscaler may start. Default: minReplicas.",
        ),
    ] = None
    scale_metric: Annotated[
        Literal["cpu", "memory", "concurrency", "rps"] | None,
        Field(
            description="What the autoscaler watches: cpu (default) or memory. KServe's concurrency and rps "
            "need Knative and are refused.",
        ),
    ] = None
    scale_target: Annotated[
        int | None,
        Field(
            ge=1,
            description="Average use of scaleMetric, in percent of the pods' resource requests, that the "
            "autoscaler aims for. Default 80 for cpu; memory has none.",
        ),
    ] = None
    scale_metric_type: Annotated[
        Literal["Utilization", "AverageValue"] | None,
        Field(
            description="How scaleTarget is read. Utilization is the only one that is supported; "
            "AverageValue is refused.",
        ),
    ] = None
    timeout: Annotated[
        int | None,
        Field(
            ge=1,
            description="Seconds after which the route gives a request up. Needs the Gateway API; with "
            "Ingress the InferenceService reports it as invalid.",
        ),
    ] = None
    deployment_strategy: Annotated[
        dict[str, Any] | None,
        Field(description="How pods are replaced by new ones, as in a Deployment's spec.strategy."),
    ] = None
    worker_spec: Annotated[
        WorkerSpec | None,
        Field(
            description="Pods beside the predictor's that one copy of the model spans, all of one Ray: each is the "
            "predictor's pod with what is set here in its place, and joins instead of serving."
        ),
    ] = None
    labels: Annotated[
        dict[str, str],
        Field(default_factory=dict, description="Labels for the predictor's pods. A change restarts them."),
    ]
    annotations: Annotated[
        dict[str, str],
        Field(default_factory=dict, description="Annotations for the predictor's pods. A change restarts them."),
    ]

    @property
    def _pod(self) -> dict[str, Any]:
        return self.model_extra or {}

    @property
    def containers(self) -> list[dict[str, Any]]:
        """The containers as written. Shared with the parsed object: read, do not edit."""
        containers: list[dict[str, Any]] = self._pod.get("containers") or []
        return containers

    @property
    def server_container(self) -> dict[str, Any] | None:
        """The container that serves the model: the sole one, or the one named kserve-container.

        None only in an object that was stored before this CRD's rules held. Read, do not edit.
        """
        containers = self.containers
        if len(containers) == 1:
            return containers[0]
        return next((c for c in containers if c.get("name") == SERVER_CONTAINER), None)

    @property
    def unsupported(self) -> tuple[str, ...]:
        """The refused KServe fields that are set, which only an object stored before this CRD can have."""
        return tuple(sorted(PREDICTOR_NAMES & self._pod.keys()))

    def pod_spec(self) -> dict[str, Any]:
        """Return a copy of the PodSpec part (containers, volumes, ...), the caller's to edit."""
        return copy.deepcopy({k: v for k, v in self._pod.items() if k not in PREDICTOR_NAMES})
