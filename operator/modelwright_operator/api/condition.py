"""A condition, as the status of every kind of ours has them."""

from typing import Annotated, Literal

from pydantic import Field

from modelwright_operator.api.base import ApiModel

_REQUIRED = {"x-required": True}


class Condition(ApiModel):
    """One aspect of the object's state."""

    type: Annotated[str, Field(description="Which aspect.", json_schema_extra=_REQUIRED)]
    status: Annotated[
        Literal["True", "False", "Unknown"],
        Field(description="True, False or Unknown.", json_schema_extra=_REQUIRED),
    ]
    reason: Annotated[str, Field(description="Why, in one word for programs.")] = ""
    message: Annotated[str, Field(description="Why and what to do, with a failing container's last lines.")] = ""
    severity: Annotated[
        str, Field(description="Empty for a condition that Ready depends on, Info for one it does not.")
    ] = ""
    last_transition_time: Annotated[
        str, Field(description="When status last changed.", json_schema_extra={"format": "date-time"})
    ] = ""


Conditions = tuple[Condition, ...]
LIST_BY_TYPE = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
"""How the API server merges a status's conditions."""
