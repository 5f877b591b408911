"""`import kserve` under this server: the names that a model's code uses, without what makes the genuine one slow.

Names that are not here are the genuine package's, where it is installed (see `modelwright.styles.kserve.hook`).
"""

from modelwright.styles.kserve.twins.constants import constants
from modelwright.styles.kserve.twins.model import Model
from modelwright.styles.kserve.twins.model_repository import ModelRepository
from modelwright.styles.kserve.twins.model_server import ModelServer
from modelwright.styles.kserve.twins.predictor_config import PredictorConfig
from modelwright.styles.kserve.twins.protocol.infer_type import InferInput, InferOutput, InferRequest, InferResponse
from modelwright.styles.kserve.twins.utils import utils

from modelwright.styles.kserve.twins import context, errors, logging, model, model_repository, model_server  # isort: skip
from modelwright.styles.kserve.twins import predictor_config, protocol  # isort: skip

__all__ = [
    "InferInput",
    "InferOutput",
    "InferRequest",
    "InferResponse",
    "Model",
    "ModelRepository",
    "ModelServer",
    "PredictorConfig",
    "constants",
    "context",
    "errors",
    "logging",
    "model",
    "model_repository",
    "model_server",
    "predictor_config",
    "protocol",
    "utils",
]
