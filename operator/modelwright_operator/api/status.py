"""The status that the operator writes: KServe's shape. These models are the source of its schema.

The operator builds statuses as plain dictionaries (`observed`); a status never fails on a value, so reasons
and states are documented rather than enumerated, except those that other tools switch on.
"""

from typing import Annotated, Literal

from pydantic import Field

from modelwright_operator.api.base import ApiModel
from modelwright_operator.api.condition import LIST_BY_TYPE, Conditions


class Address(ApiModel):
    """Where callers inside the cluster reach the service."""

    url: Annotated[str, Field(description="The URL inside the cluster.")] = ""


class TrafficTarget(ApiModel):
    """What share of the requests goes to one revision."""

    revision_name: Annotated[str, Field(description="The revision.")] = ""
    percent: Annotated[int, Field(description="Its share of the requests.")] = 0
    tag: Annotated[str, Field(description="Its tag, prev or latest.")] = ""
    latest_revision: Annotated[bool, Field(description="Whether it is the latest revision.")] = False
    url: Annotated[str, Field(description="The URL of this revision alone.")] = ""


class ComponentStatus(ApiModel):
    """The state of one component."""

    url: Annotated[str, Field(description="The component's URL.")] = ""
    rest_url: Annotated[str, Field(description="The component's REST endpoint.")] = ""
    grpc_url: Annotated[str, Field(description="The component's gRPC endpoint.")] = ""
    address: Annotated[Address | None, Field(description="Where the component is inside the cluster.")] = None
    latest_created_revision: Annotated[str, Field(description="The newest revision.")] = ""
    latest_ready_revision: Annotated[str, Field(description="The newest revision that is ready.")] = ""
    latest_rolledout_revision: Annotated[str, Field(description="The revision with all requests.")] = ""
    previous_rolledout_revision: Annotated[str, Field(description="The one before it.")] = ""
    traffic: Annotated[
        tuple[TrafficTarget, ...],
        Field(
            description="How requests are shared between revisions.",
            json_schema_extra={"x-kubernetes-list-type": "atomic"},
        ),
    ] = ()


class ModelStates(ApiModel):
    """The state of the model that serves and of the one that is to replace it."""

    active_model_state: Annotated[
        str, Field(description="The serving model: Pending, Standby, Loading, Loaded or FailedToLoad.")
    ] = ""
    target_model_state: Annotated[
        str,
        Field(description="The model being rolled out: Pending, Standby, Loading, Loaded or FailedToLoad."),
    ] = ""


class ModelCopies(ApiModel):
    """How many pods have the model."""

    failed_copies: Annotated[int, Field(description="Pods that failed to load it.")] = 0
    total_copies: Annotated[int, Field(description="Pods that have it ready.")] = 0


class FailureInfo(ApiModel):
    """The last failure to start the server or to load the model."""

    location: Annotated[str, Field(description="The pod, or what else failed.")] = ""
    reason: Annotated[str, Field(description="ModelLoadFailed, RuntimeUnhealthy or InvalidPredictorSpec.")] = ""
    message: Annotated[str, Field(description="What went wrong, with the container's last words.")] = ""
    model_revision_name: Annotated[str, Field(description="The revision it happened to.")] = ""
    time: Annotated[str, Field(description="When it was found.", json_schema_extra={"format": "date-time"})] = ""
    exit_code: Annotated[int, Field(description="The container's exit code.")] = 0


class ModelStatus(ApiModel):
    """How far the model is."""

    transition_status: Annotated[
        Literal["", "UpToDate", "InProgress", "BlockedByFailedLoad", "InvalidSpec"],
        Field(description="UpToDate, InProgress, BlockedByFailedLoad or InvalidSpec."),
    ] = "UpToDate"
    states: Annotated[ModelStates | None, Field(description="The models' states.")] = None
    copies: Annotated[ModelCopies | None, Field(description="The pods with the model.")] = None
    last_failure_info: Annotated[FailureInfo | None, Field(description="The last failure, while it lasts.")] = None


class InferenceServiceStatus(ApiModel):
    """What the operator has found out."""

    observed_generation: Annotated[
        int, Field(description="The generation of the InferenceService that this status is about.")
    ] = 0
    conditions: Annotated[
        Conditions,
        Field(
            description="PredictorReady, WorkersReady (of workerSpec) and IngressReady make up Ready; Stopped; "
            "Reconciling, Stalled and ImageOutdated only while True.",
            json_schema_extra=LIST_BY_TYPE,
        ),
    ] = ()
    url: Annotated[str, Field(description="The URL for callers outside the cluster.")] = ""
    address: Annotated[Address | None, Field(description="For callers inside the cluster.")] = None
    components: Annotated[
        dict[str, ComponentStatus] | None,
        Field(description="The components' states, by name: predictor."),
    ] = None
    model_status: Annotated[ModelStatus | None, Field(description="How far the model is.")] = None
    deployment_mode: Annotated[str, Field(description="Standard: plain Deployments.")] = ""
    serving_runtime_name: Annotated[str, Field(description="Written by KServe; kept empty.")] = ""
    cluster_serving_runtime_name: Annotated[str, Field(description="Written by KServe; kept empty.")] = ""
