"""An InferenceService as the constructors of its children see it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from modelwright_operator import labels
from modelwright_operator.addresses import app_label, predictor_name, worker_app_label
from modelwright_operator.api import InferenceService, PredictorSpec, WorkerSpec

_OURS_WHEN_SET = ("workers", "http_port", "grpc_port", "max_asyncio_workers", "enable_latency_logging", "batching")


@dataclass(frozen=True)
class Subject:
    """One InferenceService with the facts that several of its children need."""

    isvc: InferenceService

    @property
    def name(self) -> str:
        """The InferenceService's name."""
        return self.isvc.metadata.name

    @property
    def namespace(self) -> str:
        """The InferenceService's namespace."""
        return self.isvc.metadata.namespace

    @property
    def predictor(self) -> PredictorSpec:
        """`spec.predictor`."""
        return self.isvc.spec.predictor

    @property
    def annotations(self) -> dict[str, str]:
        """The InferenceService's own annotations."""
        return self.isvc.metadata.annotations

    @property
    def component_name(self) -> str:
        """The name of Deployment, Service and autoscaler."""
        return predictor_name(self.name)

    @property
    def stopped(self) -> bool:
        """Whether the author asked for no pods at all."""
        return self.annotations.get(labels.STOP, "").lower() == "true"

    @property
    def autoscaler_class(self) -> str:
        """`hpa`, `none` or `external`; anything else is a problem that `problems` reports.

        A model that spans pods is `none` unless its author says otherwise, which is a problem too.
        """
        return self.annotations.get(labels.AUTOSCALER_CLASS, "none" if self.workers else "hpa")

    @cached_property
    def main_container(self) -> dict[str, Any]:
        """The model's container as written; empty in an object that no rule of ours has seen."""
        return self.predictor.server_container or {}

    @property
    def serves_health_endpoints(self) -> bool:
        """Whether the container is known to be a model server with the open inference protocol's health endpoints."""
        said = self.annotations.get(labels.MODEL_SERVER, "").lower()
        if said in ("true", "false"):
            return said == "true"
        return any(getattr(self.predictor, field) is not None for field in _OURS_WHEN_SET)

    @property
    def workers(self) -> WorkerSpec | None:
        """`spec.predictor.workerSpec`."""
        return self.predictor.worker_spec

    @property
    def selector(self) -> dict[str, str]:
        """The label by which Deployment and Service find the pods."""
        return {labels.APP: app_label(self.name)}

    @property
    def worker_labels(self) -> dict[str, str]:
        """Labels by which the workers' pods are told from the predictor's; no Service leads to them."""
        return {labels.APP: worker_app_label(self.name), labels.COMPONENT: labels.WORKER}

    @property
    def identity_labels(self) -> dict[str, str]:
        """Labels that every child and pod carries."""
        return {
            **self.selector,
            labels.INFERENCE_SERVICE: self.name,
            labels.COMPONENT: labels.PREDICTOR,
        }

    def object_metadata(self, name: str) -> dict[str, Any]:
        """Return the metadata of a child: labels and annotations of the InferenceService, owned by it."""
        own = self.isvc.metadata
        metadata: dict[str, Any] = {
            "name": name,
            "namespace": own.namespace,
            "labels": {**labels.inherited(own.labels), **self.identity_labels},
            "ownerReferences": self.isvc.owner_references(),
        }
        if annotations := labels.inherited(own.annotations):
            metadata["annotations"] = annotations
        return metadata
