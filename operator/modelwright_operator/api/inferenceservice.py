"""The InferenceService: KServe's own group, version and kind."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from modelwright_operator.api.base import ApiModel
from modelwright_operator.api.meta import ObjectMeta
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


class InferenceService(ApiModel):
    """A model behind a URL.

    `InferenceService.model_validate(raw)` reads an object as the kube-apiserver returns it and raises
    `pydantic.ValidationError` on one that no schema-checking kube-apiserver would have stored.
    """

    api_version: str = API_VERSION
    kind: str = KIND
    metadata: ObjectMeta
    spec: InferenceServiceSpec
    status: dict[str, Any] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The object's name."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """The object's namespace."""
        return self.metadata.namespace

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
