"""What a user may write: it is stored as written, merged as in a Deployment, explained and listed."""

import json

import pytest
from modelwright_operator.api.crd import inference_service_crd
from modelwright_operator.api.openapi import reduce_document
from modelwright_operator.api.podspec import definitions, kubernetes_version

from tests.controlplane.schema_api import CRDS, Admission, Kubectl, install_crds, isvc, server
from tests.controlplane.schema_filler import Filler

POD_SPEC = "io.k8s.api.core.v1.PodSpec"
STRATEGY = "io.k8s.api.apps.v1.DeploymentStrategy"
# Refused, because no Deployment's pods can have them.
REFUSED = frozenset({"activeDeadlineSeconds", "ephemeralContainers"})

SEED = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: custom-model
spec:
  predictor:
    containers:
      - name: kserve-container
        image: ${DOCKER_USER}/custom-model:v1
"""

STATUS = {
    "observedGeneration": 1,
    "conditions": [
        {
            "type": "Ready",
            "status": "False",
            "reason": "ImagePullBackOff",
            "message": "pod m-predictor-1: no such image",
            "severity": "Info",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ],
    "url": "http://m-ns.example.com",
    "address": {"url": "http://m-predictor.ns.svc.cluster.local"},
    "components": {
        "predictor": {
            "url": "http://m-predictor-ns.example.com",
            "restUrl": "http://m-predictor-ns.example.com",
            "grpcUrl": "http://m-predictor-ns.example.com",
            "address": {"url": "http://m-predictor.ns.svc.cluster.local"},
            "latestCreatedRevision": "2",
            "latestReadyRevision": "1",
            "latestRolledoutRevision": "1",
            "previousRolledoutRevision": "0",
            "traffic": [
                {"revisionName": "1", "percent": 100, "tag": "latest", "latestRevision": True, "url": "http://u"}
            ],
        }
    },
    "modelStatus": {
        "transitionStatus": "BlockedByFailedLoad",
        "states": {"activeModelState": "Loaded", "targetModelState": "FailedToLoad"},
        "copies": {"failedCopies": 1, "totalCopies": 2},
        "lastFailureInfo": {
            "location": "m-predictor-1",
            "reason": "ModelLoadFailed",
            "message": "no file /mnt/models/weights.npz",
            "modelRevisionName": "2",
            "time": "2026-01-01T00:00:00Z",
            "exitCode": 1,
        },
    },
    "deploymentMode": "Standard",
}


@pytest.fixture(scope="module")
def kubectl(cluster):
    """kubectl in a namespace of this module's own."""
    kubectl = Kubectl(cluster)
    install_crds(kubectl)
    own = kubectl.json(
        "create",
        "--filename=-",
        stdin={"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "schema-"}},
    )["metadata"]["name"]
    yield Kubectl(cluster, own)
    kubectl("delete", "namespace", own, "--wait=false")


@pytest.fixture(scope="module")
def api(cluster, kubectl) -> Admission:
    return Admission(cluster)


@pytest.fixture(scope="module")
def openapi(kubectl):
    return json.loads(kubectl("get", "--raw=/openapi/v3/apis/apps/v1"))


@pytest.fixture(scope="module")
def full(openapi):
    """An InferenceService with every field of the kube-apiserver's own PodSpec, and every field of ours."""
    filler = Filler(openapi)
    pod = filler.fill(POD_SPEC, without=REFUSED)
    container = pod["containers"][0] | {"name": "kserve-container"}
    return isvc(
        name="full",
        **pod | {"containers": [container], "restartPolicy": "Always"},
        deploymentStrategy=filler.fill(STRATEGY),
        workers=2,
        httpPort=8080,
        grpcPort=8081,
        maxAsyncioWorkers=4,
        enableLatencyLogging=False,
        batching={"maxBatchSize": 32, "maxLatency": 10, "timeout": 30},
        storageUri="s3://b/k",
        minReplicas=1,
        maxReplicas=2,
        scaleMetric="memory",
        scaleMetricType="Utilization",
        scaleTarget=80,
        timeout=60,
        labels={"a": "b"},
        annotations={"c": "d"},
    )


def test_the_committed_pod_schema_is_this_kubernetes(openapi):
    reduced = reduce_document(openapi)
    if reduced["version"] != kubernetes_version():
        pytest.skip(f"kubernetes.json is of {kubernetes_version()}, this cluster of {reduced['version']}")
    assert reduced["definitions"] == definitions()


def test_plain_apply_takes_the_crds(kubectl):
    kubectl("apply", f"--filename={CRDS}")
    stored = kubectl("get", "crd/inferenceservices.serving.kserve.io", "--output=json", "--show-managed-fields")
    assert len(json.dumps(json.loads(stored))) < 1_000_000


def test_the_crd_is_accepted_without_complaint(kubectl):
    crd = kubectl.json("get", "crd/inferenceservices.serving.kserve.io")
    conditions = {c["type"]: c["status"] for c in crd["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}


def test_the_seeds_yaml_is_stored_as_written(kubectl, tmp_path):
    file = tmp_path / "custom.yaml"
    file.write_text(SEED)
    assert kubectl("apply", f"--filename={file}") == "inferenceservice.serving.kserve.io/custom-model created\n"
    assert kubectl.json("get", "isvc", "custom-model")["spec"] == {
        "predictor": {"containers": [{"name": "kserve-container", "image": "${DOCKER_USER}/custom-model:v1"}]}
    }
    kubectl("delete", f"--filename={file}")


@pytest.mark.parametrize("flags", [["--server-side"], ["--validate=ignore"]], ids=["server-side", "client-side"])
def test_no_field_of_a_pod_is_pruned(kubectl, full, flags):
    kubectl("apply", *flags, "--filename=-", stdin=full)
    try:
        assert kubectl.json("get", "isvc", "full")["spec"] == full["spec"]
    finally:
        kubectl("delete", "isvc", "full")


def test_the_full_object_is_full(full):
    """The filler reaches the depths: what it made has the fields that a schema is most easily too shallow for."""
    predictor = full["spec"]["predictor"]
    container = predictor["containers"][0]
    assert container["env"][0]["valueFrom"]["secretKeyRef"]["key"] == "text"
    assert container["lifecycle"]["preStop"]["sleep"]["seconds"] == 8080
    assert predictor["volumes"][0]["ephemeral"]["volumeClaimTemplate"]["metadata"]["labels"] == {"a": "b"}
    term = predictor["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["nodeSelectorTerms"][0]["matchExpressions"][0]["values"] == ["text"]


@pytest.mark.parametrize(
    "predictor",
    [
        {"containers": server(resources={"limits": {"cpu": 1, "memory": "2Gi", "nvidia.com/gpu": "1"}})},
        {"containers": server(ports=[{"containerPort": 8080}, {"containerPort": 8081, "name": "h2c"}])},
        {"containers": server(readinessProbe={"httpGet": {"path": "/", "port": "http"}})},
        {"containers": server(readinessProbe={"httpGet": {"path": "/", "port": 8080}})},
        {"containers": server(env=[{"name": "STORAGE_URI", "value": "pvc://my_model/model.onnx"}])},
        {"containers": server(args=["--workers", "2", "--http_port=9000"])},
        {"storageUri": "pvc://claim/path"},
        {"storageUri": "pvc://claim"},
        {"storageUri": "s3://bucket/path/"},
        {"storageUri": "gs://bucket"},
        {"storageUri": "hf://owner/model:rev"},
        {"storageUri": "https://host/model.tar.gz?version=..%2F1"},
        {"storageUri": "http://host/model"},
        {"storageUri": "file:///srv/models"},
        {"httpPort": 9000, "containers": server(ports=[{"containerPort": 9000}])},
        {"grpcPort": 9001, "containers": server(ports=[{"containerPort": 8080}])},
        {"minReplicas": 2},
        {"maxReplicas": 5},
        {"deploymentStrategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}},
        {"initContainers": [{"name": "side", "image": "x", "restartPolicy": "Always"}]},
    ],
    ids=lambda predictor: json.dumps(predictor)[:60],
)
def test_what_users_write_is_accepted_and_kept(api, predictor):
    obj = isvc(**predictor)
    stored = api.accepted(obj)["spec"]["predictor"]
    for container in stored["containers"]:
        for port in container.get("ports", ()):
            assert port.pop("protocol") == "TCP", "the one default, and Kubernetes' own"
    assert stored == obj["spec"]["predictor"]


def test_many_large_arguments_and_variables_are_no_reason_to_refuse(api):
    """The rules' cost is bounded by limits on lists and strings, which have to be far above real use."""
    env = [{"name": f"VARIABLE_{n}", "value": "v" * 100} for n in range(1000)]
    args = ["--config", "x" * 100_000, *(f"--flag-{n}" for n in range(500))]
    assert api.accepted(isvc(workers=2, storageUri="s3://b/k", containers=server(env=env, args=args)))


def test_an_object_stored_under_kserves_crd_can_be_reported_on_and_deleted(api, kubectl):
    """Only what is new is refused: without that no status, label or finalizer of such an object could change."""
    lax = without_rules(inference_service_crd())
    kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=lax)
    old = isvc(name="o" * 60, model={"modelFormat": {"name": "sklearn"}})
    try:
        kubectl("apply", "--filename=-", stdin=old)
    finally:
        install_crds(kubectl)
    name = old["metadata"]["name"]
    assert api.with_status(name, kubectl.namespace, STATUS)["status"]["url"] == STATUS["url"]
    kubectl("label", "isvc", name, "team=a")
    kubectl("delete", "isvc", name)


def without_rules(node):
    """The CRD, or a part of it, without its CEL rules."""
    if isinstance(node, dict):
        return {key: without_rules(value) for key, value in node.items() if key != "x-kubernetes-validations"}
    return [without_rules(item) for item in node] if isinstance(node, list) else node


def test_two_managers_share_one_container(kubectl):
    """As in a Deployment: each env variable and each container has its own owner."""
    apply = ("apply", "--server-side", "--filename=-")
    kubectl(
        *apply, "--field-manager=one", stdin=isvc(name="merged", containers=server(env=[{"name": "A", "value": "1"}]))
    )
    other = isvc(name="merged", containers=[{"name": "kserve-container", "env": [{"name": "B", "value": "2"}]}])
    kubectl(*apply, "--field-manager=two", stdin=other)
    container = kubectl.json("get", "isvc", "merged")["spec"]["predictor"]["containers"][0]
    assert container["image"] == "x"
    assert container["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    kubectl("delete", "isvc", "merged")


@pytest.fixture
def stored(kubectl):
    """The name of a stored InferenceService."""
    kubectl("apply", "--filename=-", stdin=isvc(name="stored") | {"status": {"url": "http://forged"}})
    yield "stored"
    kubectl("delete", "isvc", "stored")


def test_the_whole_status_is_kept(api, kubectl, stored):
    status = api.with_status(stored, kubectl.namespace, STATUS)["status"]
    assert {key: status[key] for key in STATUS} == STATUS


def test_kubectl_get_lists_what_matters(api, kubectl, stored):
    table = api.with_status(stored, kubectl.namespace, STATUS, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "URL", "Ready", "Reason", "Age"]
    assert table["rows"][0]["cells"][:4] == ["stored", "http://m-ns.example.com", "False", "ImagePullBackOff"]
    assert kubectl("get", "isvc", stored).split()[:5] == ["NAME", "URL", "READY", "REASON", "AGE"]


def test_a_status_in_an_applied_file_is_not_the_users_to_set(kubectl, stored):
    assert kubectl.json("get", "isvc", stored).get("status", {}).get("url") != "http://forged"


@pytest.mark.parametrize(
    ("path", "want"),
    [
        ("isvc.spec.predictor.workers", ["FIELD: workers <integer>", "Becomes the argument --workers"]),
        ("isvc.spec.predictor.containers.env", ["FIELD: env <[]Object>", "valueFrom"]),
        ("inferenceservices.spec.predictor.volumes", ["persistentVolumeClaim", "emptyDir"]),
        ("isvc.spec.predictor.model", ["Not supported"]),
        ("isvc.status.modelStatus", ["transitionStatus", "lastFailureInfo"]),
    ],
)
def test_kubectl_explains(kubectl, path, want):
    flat = " ".join(kubectl("explain", path).split())
    for text in want:
        assert text in flat
