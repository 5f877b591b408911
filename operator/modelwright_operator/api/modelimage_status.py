"""The status of a ModelImage, the source of its schema. The operator writes it as plain dictionaries."""

from typing import Annotated

from pydantic import Field

from modelwright_operator.api.base import ApiModel
from modelwright_operator.api.condition import LIST_BY_TYPE, Conditions


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
        Conditions,
        Field(
            description="Fetched, Analyzed, Detected, Restored, Built and Exported are the latest build's phases, "
            "Ready is all of them; Reconciling and Stalled only while True.",
            json_schema_extra=LIST_BY_TYPE,
        ),
    ] = ()
