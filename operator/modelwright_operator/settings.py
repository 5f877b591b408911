"""Every setting of the operator, read from environment variables that begin with `MODELWRIGHT_`.

`MODELWRIGHT_INGRESS_CLASS_NAME=traefik` sets `ingress_class_name`. Lists and tables are given as JSON. The
chart writes these variables from its values; a change takes effect when the operator restarts, and then
only the objects that it really changes are written.
"""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

RouteKind = Literal["Ingress", "HTTPRoute", "none"]

_PLACEHOLDER = re.compile(r"\{\{\s*\.(\w+)\s*\}\}")
_PLACEHOLDERS = {"Name", "Namespace", "IngressDomain"}
_LIST_FIELDS = ("namespaces",)


class Settings(BaseSettings):
    """The operator's settings, immutable once read.

    Raises `pydantic.ValidationError`, naming the field, for a value that cannot work.
    """

    model_config = SettingsConfigDict(env_prefix="MODELWRIGHT_", frozen=True, extra="ignore")

    # --- What is watched --------------------------------------------------------------------------

    namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    """Namespaces to serve, separated by commas. Default: all. Why: with names given, Roles are enough and no
    ClusterRole is needed."""

    # --- How callers reach a model ----------------------------------------------------------------

    route_kind: RouteKind = "Ingress"
    """What exposes an InferenceService outside the cluster: `Ingress`, `HTTPRoute` (Gateway API) or `none`.
    Default: Ingress, which every cluster has."""

    ingress_class_name: str | None = None
    """`spec.ingressClassName` of the Ingresses. Default: unset, so the cluster's default IngressClass
    answers."""

    ingress_domain: str = "example.com"
    """The domain under which hosts are made. Default: example.com, as KServe ships. `svc.cluster.local`
    means that nothing is exposed."""

    domain_template: str = "{{.Name}}-{{.Namespace}}.{{.IngressDomain}}"
    """How a host is made of Name, Namespace and IngressDomain. Default: KServe's, so URLs stay what they
    were."""

    url_scheme: Literal["http", "https"] = "http"
    """Scheme of `status.url`. Default: http. Set https where something in front of the route ends TLS."""

    gateway_name: str = "modelwright"
    """Name of the Gateway that HTTPRoutes attach to. Only used with route_kind HTTPRoute."""

    gateway_namespace: str = "modelwright-gateway"
    """Namespace of that Gateway. Why: routes live beside their InferenceService, gateways with the platform
    team."""

    default_timeout_seconds: Annotated[int, Field(ge=0)] = 60
    """Seconds a request may take through an HTTPRoute when `predictor.timeout` is unset; 0 leaves the limit
    to the gateway. Default: 60, KServe's."""

    require_route_address: bool = True
    """Whether IngressReady waits until the Ingress has an address (HTTPRoutes always wait for their Gateway).
    Default: true, so Ready means reachable. Set false for an ingress controller that never publishes
    addresses."""

    # --- The model's container --------------------------------------------------------------------

    default_cpu: str = "1"
    """CPU request and limit of the model's container where its author gives none. Default: KServe's."""

    default_memory: str = "2Gi"
    """Memory request and limit of the model's container where its author gives none. Default: KServe's."""

    pod_security: Literal["restricted", "none"] = "restricted"
    """`restricted` fills in, field by field where the author says nothing, what Pod Security `restricted`
    asks for; `none` adds nothing. Default: restricted, so that pods are admitted in hardened namespaces."""

    automount_service_account_token: bool = False
    """Whether pods get a Kubernetes token where the author says nothing. Default: false: a model has no
    business with the API server."""

    prestop_seconds: Annotated[int, Field(ge=0, le=3600)] = 5
    """Seconds a terminating container waits before it is told to stop; 0 adds no hook. Default: 5:
    endpoints and ingress controllers need a moment to stop sending requests, and without it some meet a
    closed port."""

    drain_seconds: Annotated[int, Field(ge=1, le=86400)] = 30
    """Seconds a server has after that to finish its requests before it is killed. Default: 30, the grace
    period of KServe's server."""

    startup_seconds: Annotated[int, Field(ge=10, le=86400)] = 600
    """Seconds a model server may take until its health endpoint answers, before its container is restarted.
    Default: 600: large weights are read from network disks."""

    progress_deadline_seconds: Annotated[int, Field(ge=60, le=86400)] = 600
    """Seconds without progress after which a rollout is reported as failed. Default: 600, KServe's and
    Kubernetes'."""

    # --- Storage ----------------------------------------------------------------------------------

    storage_initializer_image: str = "localhost:5000/modelwright/modelwright:dev"
    """Image of the init container that fetches weights. The chart sets it to the operator's own image."""

    storage_initializer_command: Annotated[tuple[str, ...], Field(min_length=1)] = ("/cnb/process/storage-initializer",)
    """Command of that container, as JSON. Default: the process of that name in an image made by
    buildpacks."""

    storage_initializer_cpu_request: str = "100m"
    """CPU request of the init container. Default: KServe's."""

    storage_initializer_cpu_limit: str = "1"
    """CPU limit of the init container. Default: KServe's."""

    storage_initializer_memory_request: str = "100Mi"
    """Memory request of the init container. Default: KServe's."""

    storage_initializer_memory_limit: str = "1Gi"
    """Memory limit of the init container. Default: KServe's."""

    storage_initializer_env: dict[str, str] = Field(default_factory=dict)
    """Further environment of the init container, as a JSON object: proxies, HF_ENDPOINT and the like. No
    secrets: it stands in every Deployment."""

    s3_access_key_id_name: str = "AWS_ACCESS_KEY_ID"
    """Key under which Secrets hold the S3 access key id. Default: what KServe's chart sets."""

    s3_secret_access_key_name: str = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a key, not a key
    """Key under which Secrets hold the S3 secret access key. Default: what KServe's chart sets."""

    read_secret_metadata: bool = False
    """Whether the operator reads the S3 annotations on the Secret that
    `serving.kserve.io/storageSecretName` names. Default: false: Kubernetes cannot grant a Secret's metadata
    without its data, so this needs `get` on the Secret."""

    # --- Builds of ModelImages --------------------------------------------------------------------

    builder_image: str = ""
    """The builder of ModelImages that name none. Default: unset, so each must name one."""

    source_command: Annotated[tuple[str, ...], Field(min_length=1)] = ("/cnb/process/image-source",)
    """Command of the containers that look at a source and fetch it, as JSON; their image is
    storage_initializer_image. Default: the process of that name in an image made by buildpacks."""

    build_poll_seconds: Annotated[int, Field(ge=10, le=86400)] = 300
    """Seconds between looks at a ModelImage's source and builder, each a short Job. Default: 300. What is named by
    commit and digest is looked at once."""

    build_env: dict[str, str] = Field(default_factory=dict)
    """Environment of every build, as a JSON object: proxies, UV_INDEX and the like. No secrets: it stands in every
    Job."""

    insecure_registries: tuple[str, ...] = ()
    """Registries that speak plain HTTP, as a JSON list of host:port. Default: none; addresses of this machine and of
    private networks do in any case, as the lifecycle has it."""

    # --- Models that span pods --------------------------------------------------------------------

    ray_worker_command: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "/cnb/lifecycle/launcher",
        "--",
        "python",
        "-m",
        "modelwright",
        "join",
    )
    """Command of the containers of `predictor.workerSpec` that have none of their own, as JSON. Default: Modelwright's,
    in an image made by buildpacks."""

    # --- The operator's own process ---------------------------------------------------------------

    workers: Annotated[int, Field(ge=1, le=256)] = 8
    """InferenceServices reconciled at one time. Default: 8: the work is waiting for the API server, and
    more only competes for its answers."""

    resync_seconds: Annotated[float, Field(ge=10)] = 600.0
    """Seconds between passes over an InferenceService to which nothing happened. Default: 600: a watch that
    lost an event is made good, and in a steady state a pass costs no API call."""

    retry_initial_seconds: Annotated[float, Field(gt=0)] = 0.2
    """Seconds before the first retry of a failed pass; each further retry waits twice as long. Default:
    0.2."""

    retry_max_seconds: Annotated[float, Field(gt=0)] = 60.0
    """The longest wait between retries, in seconds. Default: 60."""

    leader_election: bool = False
    """Whether a Lease in the operator's namespace decides which of several operators works; the others keep warm
    caches. Default: false, right for one replica; the chart sets it when replicas > 1."""

    health_port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """Port of the operator's `/healthz`. Default: 8080."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe message that is logged. Default: info."""

    log_format: Literal["plain", "json"] = "plain"
    """`json` writes one object per line for log collectors. Default: plain."""

    @field_validator(*_LIST_FIELDS, mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("domain_template")
    @classmethod
    def _known_placeholders(cls, value: str) -> str:
        found = set(_PLACEHOLDER.findall(value))
        if unknown := found - _PLACEHOLDERS:
            raise ValueError(f"unknown placeholder {sorted(unknown)}; use .Name, .Namespace and .IngressDomain")
        if "{{" in _PLACEHOLDER.sub("", value):
            raise ValueError("only plain placeholders such as {{.Name}} are supported")
        if "Name" not in found:
            raise ValueError("{{.Name}} is needed, or two InferenceServices would share one host")
        return value

    @model_validator(mode="after")
    def _retry_order(self) -> "Settings":
        if self.retry_max_seconds < self.retry_initial_seconds:
            raise ValueError("retry_max_seconds is shorter than retry_initial_seconds")
        return self
