"""InferenceServices for the tests of `desired`."""

from typing import Any

from modelwright_operator.api import InferenceService
from modelwright_operator.settings import Settings


def isvc(
    predictor: dict[str, Any] | None = None, *, container: dict[str, Any] | None = None, **metadata: Any
) -> InferenceService:
    """Return an InferenceService `m` in `ns`: fields of the predictor, of its sole container, of the metadata."""
    containers = [{"name": "kserve-container", "image": "example.org/model:v1", **(container or {})}]
    return InferenceService.model_validate(
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "m", "namespace": "ns", "uid": "u-1", **metadata},
            "spec": {"predictor": {"containers": containers, **(predictor or {})}},
        }
    )


def settings(**values: Any) -> Settings:
    """Return the default settings with `values`."""
    return Settings(**values)
