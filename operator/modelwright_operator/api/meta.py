"""The part of an object's metadata that the operator reads."""

from pydantic import Field

from modelwright_operator.api.base import ApiModel


class ObjectMeta(ApiModel):
    """Name, identity, labels and annotations of an object, as the kube-apiserver returns them."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
