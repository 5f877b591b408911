"""The labels, annotations and fixed names that this operator shares with KServe's Standard mode."""

APP = "app"
INFERENCE_SERVICE = "serving.kserve.io/inferenceservice"
COMPONENT = "component"
PREDICTOR = "predictor"
WORKER = "worker"
"""Value of `component` on what belongs to predictor.workerSpec."""

VISIBILITY = "networking.kserve.io/visibility"
"""Label (Knative's spelling below): `cluster-local` keeps a service inside the cluster."""
VISIBILITY_KNATIVE = "networking.knative.dev/visibility"
CLUSTER_LOCAL = "cluster-local"

AUTOSCALER_CLASS = "serving.kserve.io/autoscalerClass"
STOP = "serving.kserve.io/stop"
STORAGE_SECRET_NAME = "serving.kserve.io/storageSecretName"  # noqa: S105 - an annotation's name
STORAGE_READONLY = "storage.kserve.io/readonly"
MODEL_SERVER = "modelwright.dev/model-server"
"""Annotation: "true" says that the container serves the open inference protocol's health endpoints, "false"
that it does not, whatever other fields suggest."""

MODEL_IMAGE = "modelwright.dev/modelimage"
"""Label on what a ModelImage owns: its name."""
BUILD_STEP = "modelwright.dev/build-step"
"""Label of a ModelImage's Jobs: `resolve` looks at source and builder, `build` builds."""
BUILD_NUMBER = "modelwright.dev/build-number"
BUILD_INPUTS = "modelwright.dev/build-inputs"
"""Label: hash of what goes into the image."""
BUILD_ATTEMPT = "modelwright.dev/build-attempt"
"""Label: hash of the whole Job, with its limits and the names of its credentials; a failed build is tried again when
it changes."""
REBUILD = "modelwright.dev/rebuild"
"""Annotation of a ModelImage: another value builds again, whether or not anything has changed."""

RAY = "modelwright.dev/ray"
"""Label of the pods of one Ray: its revision, so that those of a rollout do not mix."""

MAIN_CONTAINER = "kserve-container"
WORKER_CONTAINER = "worker-container"
"""KServe's name for the container of predictor.workerSpec."""
INITIALIZER = "storage-initializer"
MODELS_PATH = "/mnt/models"
POD_TEMPLATE_HASH = "pod-template-hash"

DEFAULT_HTTP_PORT = 8080
DEFAULT_GRPC_PORT = 8081
SERVICE_PORT = 80

_NOT_FOR_CHILDREN = (
    "argocd.argoproj.io/",
    "config.kubernetes.io/",
    "helm.sh/",
    "kubectl.kubernetes.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "meta.helm.sh/",
)


def inherited(values: dict[str, str]) -> dict[str, str]:
    """Return the labels or annotations of an InferenceService that its children take over.

    Those by which a deployment tool tracks its own objects stay behind: a child that carried them would be
    taken for one of the tool's and pruned, or would change on each `kubectl apply`.
    """
    return {key: value for key, value in values.items() if not key.startswith(_NOT_FOR_CHILDREN)}
