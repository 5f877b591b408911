"""The InferenceService: KServe's own group, version and kind."""

from typing import Annotated

from pydantic import ConfigDict, Field

from modelwright_operator.api.base import ApiModel
from modelwright_operator.api.meta import ApiObject
from modelwright_operator.api.predictor import PredictorSpec
from modelwright_operator.api.unsupported import UNSUPPORTED, Unsupported

GROUP = "serving.kserve.io"
VERSION = "v1beta1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "InferenceService"
PLURAL = "inferenceservices"


class InferenceServiceSpec(ApiModel):
    """What the user wants served."""

    model_config = ConfigDict(extra="allow")

    predictor: Annotated[
        PredictorSpec,
        Field(
            description="The model server: its containers and everything else that a PodSpec may hold, its "
            "replicas, its weights, and the server's own settings."
        ),
    ]


class InferenceService(ApiObject):
    """A model behind a URL."""

    api_version: str = API_VERSION
    kind: str = KIND
    spec: InferenceServiceSpec

    @property
    def predictor(self) -> PredictorSpec:
        """Short for `spec.predictor`."""
        return self.spec.predictor

    def unsupported(self) -> tuple[Unsupported, ...]:
        """Return the refused KServe fields that are set.

        The CRD refuses them at apply; an object that was stored under KServe's own CRD may still have them.
        """
        spec = self.spec.model_extra or {}
        predictor = self.predictor.unsupported
        return tuple(field for field in UNSUPPORTED if field.name in (spec if field.owner == "spec" else predictor))
