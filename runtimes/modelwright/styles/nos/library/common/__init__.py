"""`nos.common`."""

from modelwright.styles.nos.library.common.exceptions import InputValidationException
from modelwright.styles.nos.library.common.runtime_env import RuntimeEnv
from modelwright.styles.nos.library.common.spec import (
    FunctionSignature,
    ModelDeploymentSpec,
    ModelSpec,
    ModelSpecMetadata,
)
from modelwright.styles.nos.library.common.tasks import TaskType

__all__ = [
    "FunctionSignature",
    "InputValidationException",
    "ModelDeploymentSpec",
    "ModelSpec",
    "ModelSpecMetadata",
    "RuntimeEnv",
    "TaskType",
]
