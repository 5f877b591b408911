"""The status of a ModelImage, the source of its schema. The operator writes it as plain dictionaries."""

from typing import Annotated, Literal

from pydantic import Field

from modelwright_operator.api.base import ApiModel

_REQUIRED = {"x-required": True}


class ImageCondition(ApiModel):
    """One aspect of the ModelImage's state."""

    type: Annotated[
        str,
        Field(
            description="Fetched, Analyzed, Detected, Restored, Built and Exported are the latest build's phases, "
            "Ready is all of them; Reconciling and Stalled only while True.",
            json_schema_extra=_REQUIRED,
        ),
    ]
    status: Annotated[
        Literal["True", "False", "Unknown"],
        Field(description="True, False or Unknown.", json_schema_extra=_REQUIRED),
    ]
    reason: Annotated[str, Field(description="Why, in one word for programs.")] = ""
    message: Annotated[str, Field(description="Why and what to do, with the failing step's last lines.")] = ""
    severity: Annotated[str, Field(description="Info for a condition that Ready does not depend on.")] = ""
    last_transition_time: Annotated[
        str, Field(description="When status last changed.", json_schema_extra={"format": "date-time"})
    ] = ""


class Resolved(ApiModel):
    """What source and builder were when they were last looked at."""

    source: Annotated[str, Field(description="The commit, the image by digest, or a hash of the files' ETags.")] = ""
    builder: Annotated[str, Field(description="The builder by digest.")] = ""
    run_image: Annotated[str, Field(description="The run image by digest.")] = ""


class ModelImageStatus(ApiModel):
    """What the operator has found out."""

    observed_generation: Annotated[
        int, Field(description="The generation of the ModelImage that this status is about.")
    ] = 0
    latest_image: Annotated[
        str,
        Field(description="The newest image, by digest: what modelimage://NAME stands for. A failing build keeps it."),
    ] = ""
    build_count: Annotated[int, Field(description="How many builds were started.")] = 0
    latest_build: Annotated[str, Field(description="The Job of the newest build.")] = ""
    resolved: Annotated[Resolved | None, Field(description="What the newest build is of.")] = None
    built_inputs: Annotated[
        str, Field(description="The hash of all that went into latestImage: equal inputs are not built again.")
    ] = ""
    conditions: Annotated[
        tuple[ImageCondition, ...],
        Field(
            description="Ready and the phases of the latest build.",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        ),
    ] = ()
