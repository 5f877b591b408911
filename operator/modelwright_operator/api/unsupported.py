"""KServe's fields that this version refuses, each with the reason and what to do instead.

They stay in the schema so that KServe's YAML is answered with a sentence instead of being pruned in silence.
"""

from dataclasses import dataclass
from typing import Literal

Owner = Literal["spec", "predictor"]


@dataclass(frozen=True, kw_only=True)
class Unsupported:
    """One refused field: where it stands, its JSON type in KServe, why it is refused and the remedy."""

    owner: Owner
    name: str
    type: Literal["object", "array", "integer", "string"]
    reason: str
    remedy: str

    @property
    def path(self) -> str:
        """The field's path from the object's root, as a user would write it."""
        return f"spec.{self.name}" if self.owner == "spec" else f"spec.predictor.{self.name}"

    @property
    def message(self) -> str:
        """The refusal that the user reads: field, reason, remedy."""
        return f"{self.path} is not supported: {self.reason}; {self.remedy}"


FRAMEWORKS = (
    "huggingface",
    "lightgbm",
    "model",
    "onnx",
    "paddle",
    "pmml",
    "pytorch",
    "sklearn",
    "tensorflow",
    "triton",
    "xgboost",
)

_FRAMEWORK_REASON = "there are no ServingRuntimes, so a model format does not name an image"
_FRAMEWORK_REMEDY = "name the server's image in spec.predictor.containers and the weights in spec.predictor.storageUri"
_CANARY_REASON = "traffic is not split between revisions"
_CANARY_REMEDY = "remove it, and apply the candidate as an InferenceService of its own name"
_SIDECAR_REASON = "there is no agent sidecar beside the model server"


def _framework(name: str) -> Unsupported:
    return Unsupported(owner="predictor", name=name, type="object", reason=_FRAMEWORK_REASON, remedy=_FRAMEWORK_REMEDY)


UNSUPPORTED: tuple[Unsupported, ...] = (
    Unsupported(
        owner="spec",
        name="transformer",
        type="object",
        reason="only a predictor is deployed",
        remedy="do the work in the model's preprocess and postprocess, or apply the transformer as an "
        "InferenceService of its own",
    ),
    Unsupported(
        owner="spec",
        name="explainer",
        type="object",
        reason="only a predictor is deployed",
        remedy="apply the explainer as an InferenceService of its own",
    ),
    Unsupported(owner="spec", name="canary", type="array", reason=_CANARY_REASON, remedy=_CANARY_REMEDY),
    *(_framework(name) for name in FRAMEWORKS),
    Unsupported(
        owner="predictor",
        name="name",
        type="string",
        reason="there is one predictor and it is named after the InferenceService",
        remedy="remove it",
    ),
    Unsupported(
        owner="predictor",
        name="canaryTrafficPercent",
        type="integer",
        reason=_CANARY_REASON,
        remedy=_CANARY_REMEDY,
    ),
    Unsupported(
        owner="predictor",
        name="batcher",
        type="object",
        reason=_SIDECAR_REASON,
        remedy="remove it, and set spec.predictor.batching, with which the model server batches",
    ),
    Unsupported(
        owner="predictor",
        name="logger",
        type="object",
        reason=_SIDECAR_REASON,
        remedy="remove it, and log in the model's own code",
    ),
    Unsupported(
        owner="predictor",
        name="containerConcurrency",
        type="integer",
        reason="nothing in a plain Deployment limits the requests of one pod",
        remedy="remove it, and set spec.predictor.workers",
    ),
    Unsupported(
        owner="predictor",
        name="autoScaling",
        type="object",
        reason="the HorizontalPodAutoscaler is made from scaleMetric and scaleTarget alone",
        remedy="use spec.predictor.scaleMetric and scaleTarget, or bring your own autoscaler with the "
        "annotation serving.kserve.io/autoscalerClass: external",
    ),
    Unsupported(
        owner="predictor",
        name="storage",
        type="object",
        reason="credentials come from the ServiceAccount's Secrets or the annotation "
        "serving.kserve.io/storageSecretName",
        remedy="write the place as spec.predictor.storageUri",
    ),
    Unsupported(
        owner="predictor",
        name="storageUris",
        type="array",
        reason="one place is mounted, at /mnt/models",
        remedy="use spec.predictor.storageUri, and volumes for the others",
    ),
    Unsupported(
        owner="predictor",
        name="ephemeralContainers",
        type="array",
        reason="a Deployment's pods cannot start with them",
        remedy="use kubectl debug on the running pod",
    ),
)
"""Every refused field, in the order in which `kubectl explain` and the CRD name them."""

PREDICTOR_NAMES = frozenset(field.name for field in UNSUPPORTED if field.owner == "predictor")
"""The names refused on the predictor."""
