"""What the operator reads of every object: its metadata, and the status that it wrote itself."""

from typing import Any

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


class ApiObject(ApiModel):
    """An object of a kind of ours.

    `model_validate(raw)` reads one as the kube-apiserver returns it and raises `pydantic.ValidationError` on one that
    no schema-checking kube-apiserver would have stored.
    """

    api_version: str
    kind: str
    metadata: ObjectMeta
    status: dict[str, Any] = Field(default_factory=dict)

    def owner_references(self) -> list[dict[str, Any]]:
        """Return what a child's metadata says of it: the child goes when it goes."""
        return [
            {
                "apiVersion": self.api_version,
                "kind": self.kind,
                "name": self.metadata.name,
                "uid": self.metadata.uid,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]

    @property
    def name(self) -> str:
        """The object's name."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """The object's namespace."""
        return self.metadata.namespace
