"""The API: what a user may write in an InferenceService, and how it is read.

Only the models are imported here. The CustomResourceDefinition is made by `modelwright_operator.api.crd`,
which the running operator never imports.
"""

from modelwright_operator.api.inferenceservice import (
    API_VERSION,
    GROUP,
    KIND,
    PLURAL,
    VERSION,
    InferenceService,
    InferenceServiceSpec,
)
from modelwright_operator.api.meta import ObjectMeta
from modelwright_operator.api.predictor import SERVER_CONTAINER, SERVER_FIELDS, Batching, PredictorSpec
from modelwright_operator.api.unsupported import UNSUPPORTED, Unsupported
from modelwright_operator.api.workers import WorkerSpec

__all__ = [
    "API_VERSION",
    "GROUP",
    "KIND",
    "PLURAL",
    "SERVER_CONTAINER",
    "SERVER_FIELDS",
    "UNSUPPORTED",
    "VERSION",
    "Batching",
    "InferenceService",
    "InferenceServiceSpec",
    "ObjectMeta",
    "PredictorSpec",
    "Unsupported",
    "WorkerSpec",
]
