"""What every model of the API has in common."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class ApiModel(BaseModel):
    """A read-only view of a part of a Kubernetes object: snake_case in Python, camelCase on the wire.

    Unknown keys are ignored: the kube-apiserver has already pruned or refused what the schema does not know.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        protected_namespaces=(),
    )
