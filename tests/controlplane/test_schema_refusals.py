"""What the schema refuses, and that the message names the field and what to do."""

import pytest

from tests.controlplane.schema_api import Admission, Kubectl, install_crds, isvc, server

UNSUPPORTED = {
    "transformer": {"containers": [{"name": "t", "image": "x"}]},
    "explainer": {"art": {"type": "SquareAttack"}},
    "canary": [{"trafficPercent": 10, "predictor": {"name": "c"}}],
}
UNSUPPORTED_PREDICTOR = {
    "model": {"modelFormat": {"name": "sklearn"}, "storageUri": "gs://b/m"},
    "sklearn": {"storageUri": "gs://b/m"},
    "xgboost": {},
    "pytorch": {},
    "tensorflow": {},
    "triton": {},
    "onnx": {},
    "huggingface": {"args": ["--model_id=x"]},
    "lightgbm": {},
    "paddle": {},
    "pmml": {},
    "name": "candidate",
    "batcher": {"maxBatchSize": 32},
    "logger": {"mode": "all", "url": "http://sink"},
    "canaryTrafficPercent": 10,
    "containerConcurrency": 4,
    "autoScaling": {"metrics": [{"type": "Resource"}]},
    "storage": {"key": "k", "path": "p"},
    "storageUris": [{"uri": "s3://b/k", "mountPath": "/mnt/models"}],
    "ephemeralContainers": [{"name": "debug", "image": "x"}],
}


@pytest.fixture(scope="module")
def api(cluster) -> Admission:
    install_crds(Kubectl(cluster))
    return Admission(cluster)


@pytest.mark.parametrize("field", UNSUPPORTED)
def test_kserves_other_components_are_refused_with_the_reason(api, field):
    obj = isvc()
    obj["spec"][field] = UNSUPPORTED[field]
    assert f"spec.{field} is not supported: " in api.refusal(obj)


@pytest.mark.parametrize("field", UNSUPPORTED_PREDICTOR)
def test_kserves_other_predictor_fields_are_refused_with_the_reason(api, field):
    obj = isvc()
    obj["spec"]["predictor"][field] = UNSUPPORTED_PREDICTOR[field]
    assert f"spec.predictor.{field} is not supported: " in api.refusal(obj)


def test_a_framework_without_containers_is_refused_for_that_alone(api):
    obj = isvc(sklearn={"storageUri": "gs://b/m"})
    del obj["spec"]["predictor"]["containers"]
    refusal = api.refusal(obj)
    assert "spec.predictor.sklearn is not supported" in refusal
    assert "containers is required" not in refusal


@pytest.mark.parametrize("spec", [None, {}])
def test_no_predictor(api, spec):
    obj = isvc()
    del obj["spec"]
    if spec is not None:
        obj["spec"] = spec
    assert "spec.predictor is required: give it containers" in api.refusal(obj)


@pytest.mark.parametrize("containers", [None, []])
def test_no_containers(api, containers):
    assert "spec.predictor.containers is required: list one container" in api.refusal(
        {**isvc(), "spec": {"predictor": {} if containers is None else {"containers": containers}}}
    )


def test_two_containers_of_one_name(api):
    twins = [{"name": "kserve-container", "image": "x"}, {"name": "kserve-container", "image": "y"}]
    refusal = api.refusal(isvc(containers=twins))
    assert "two of spec.predictor.containers have the same name: give each its own" in refusal


@pytest.mark.parametrize("name", ["mine", "kserve-container"])
def test_an_init_container_with_a_containers_name(api, name):
    """A sole container is renamed kserve-container, so that name is taken too."""
    containers = [{"name": "mine", "image": "x"}]
    refusal = api.refusal(isvc(containers=containers, initContainers=[{"name": name, "image": "x"}]))
    assert "one of spec.predictor.initContainers has the name of one of spec.predictor.containers" in refusal
    assert "rename it" in refusal


def test_several_containers_and_none_serves(api):
    refusal = api.refusal(isvc(containers=[{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]))
    assert "none is named kserve-container: give that name to the one that serves the model" in refusal


@pytest.mark.parametrize("field", ["httpPort", "grpcPort"])
@pytest.mark.parametrize("port", [0, 65536, -1])
def test_a_port_out_of_range(api, field, port):
    assert f"spec.predictor.{field} in body should be " in api.refusal(isvc(**{field: port}))


@pytest.mark.parametrize("port", [0, 70000])
def test_a_container_port_out_of_range(api, port):
    refusal = api.refusal(isvc(containers=server(ports=[{"containerPort": port}])))
    assert "containers[0].ports[0].containerPort in body should be " in refusal


def test_an_http_port_that_contradicts_the_containers_ports(api):
    containers = server(ports=[{"containerPort": 8080}, {"containerPort": 9000}])
    refusal = api.refusal(isvc(httpPort=9000, containers=containers))
    assert "spec.predictor.httpPort differs from the first of the container's ports" in refusal
    assert "make the two the same" in refusal


def test_a_grpc_port_that_contradicts_the_containers_ports(api):
    containers = server(ports=[{"containerPort": 8080}, {"containerPort": 9000, "name": "h2c"}])
    refusal = api.refusal(isvc(grpcPort=9001, containers=containers))
    assert "spec.predictor.grpcPort differs from the container's port that is named grpc or h2c" in refusal


def test_one_port_for_both_protocols(api):
    assert "are the same port: give each its own" in api.refusal(isvc(httpPort=9000, grpcPort=9000))


@pytest.mark.parametrize(
    "uri", ["foo://b/k", "/mnt/models", "models/a", "s3:/b", "s3://", "s3:///k", "pvc:///path", "S3://b", "oci://i"]
)
def test_a_uri_of_an_unknown_scheme_or_with_no_place(api, uri):
    want = "in one of the schemes pvc://, s3://, gs://, hf://, https://, http://, file://: change it"
    refusal = api.refusal(isvc(storageUri=uri))
    assert "spec.predictor.storageUri must be a place" in refusal
    assert want in refusal
    refusal = api.refusal(isvc(containers=server(env=[{"name": "STORAGE_URI", "value": uri}])))
    assert "the container's env STORAGE_URI must be a place" in refusal
    assert want in refusal


@pytest.mark.parametrize("uri", ["pvc://claim/../other", "pvc://claim/.."])
def test_a_path_that_leads_out_of_its_claim(api, uri):
    assert "must not lead out of the claim" in api.refusal(isvc(storageUri=uri))


def test_two_places_for_the_weights(api):
    containers = server(env=[{"name": "STORAGE_URI", "value": "s3://b/k"}])
    refusal = api.refusal(isvc(storageUri="s3://b/k", containers=containers))
    assert "spec.predictor.storageUri and the container's env STORAGE_URI both say" in refusal
    assert "keep one" in refusal


@pytest.mark.parametrize("rest", [{"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}, {"value": ""}, {}])
def test_a_storage_uri_that_cannot_be_read(api, rest):
    refusal = api.refusal(isvc(containers=server(env=[{"name": "STORAGE_URI", **rest}])))
    assert "STORAGE_URI must be written as a value, not as valueFrom" in refusal


@pytest.mark.parametrize("path", ["/mnt/models", "/mnt/models/"])
def test_a_volume_where_the_weights_go(api, path):
    containers = server(volumeMounts=[{"name": "v", "mountPath": path}])
    refusal = api.refusal(isvc(storageUri="s3://b/k", containers=containers))
    assert "the weights are mounted at /mnt/models, where the container already mounts a volume" in refusal


@pytest.mark.parametrize("name", ["1m", "m.n"])
def test_a_name_that_no_service_can_have(api, name):
    refusal = api.refusal(isvc(name=name))
    assert "metadata.name must start with a letter" in refusal
    assert "rename the InferenceService" in refusal


def test_a_name_too_long_for_dns(api):
    assert "so shorten it to 53 characters or fewer" in api.refusal(isvc(name="m" * 54))
    assert api.accepted(isvc(name="m" * 53))


@pytest.mark.parametrize(
    ("field", "value", "argument"),
    [
        ("workers", 2, "--workers"),
        ("httpPort", 9000, "--http_port"),
        ("grpcPort", 9001, "--grpc_port"),
        ("maxAsyncioWorkers", 4, "--max_asyncio_workers"),
        ("enableLatencyLogging", True, "--enable_latency_logging"),
    ],
)
@pytest.mark.parametrize("place", ["args", "command"])
def test_a_field_and_its_argument(api, field, value, argument, place):
    for written in ([argument, "1"], [f"{argument}=1"]):
        containers = server(**{place: ["python", "-m", "model", *written]})
        refusal = api.refusal(isvc(**{field: value}, containers=containers))
        assert f"spec.predictor.{field} becomes the argument {argument}" in refusal
        assert "keep one of the two" in refusal
    assert api.accepted(isvc(containers=containers))


@pytest.mark.parametrize(
    ("field", "argument"),
    [
        ("maxBatchSize", "--max_batch_size"),
        ("maxLatency", "--max_batch_latency_ms"),
        ("timeout", "--batch_timeout"),
    ],
)
@pytest.mark.parametrize("place", ["args", "command"])
def test_a_field_of_batching_and_its_argument(api, field, argument, place):
    batching = {"maxBatchSize": 32, "maxLatency": 10, "timeout": 30}
    for written in ([argument, "1"], [f"{argument}=1"]):
        containers = server(**{place: ["python", "-m", "model", *written]})
        refusal = api.refusal(isvc(batching=batching, containers=containers))
        assert f"spec.predictor.batching.{field} becomes the argument {argument}" in refusal
        assert "keep one of the two" in refusal
    assert api.accepted(isvc(batching=batching))


def test_batching_without_a_size(api):
    refusal = api.refusal(isvc(batching={"maxLatency": 10}))
    assert "spec.predictor.batching says nothing without maxBatchSize: set it to the rows" in refusal


def test_kserves_batcher_is_refused_with_the_field_to_use(api):
    assert "set spec.predictor.batching" in api.refusal(isvc(batcher={"maxBatchSize": 32}))


def test_an_argument_of_a_sidecar_is_its_own(api):
    sidecar = {"name": "proxy", "image": "x", "args": ["--workers=2"]}
    assert api.accepted(isvc(workers=2, containers=[*server(), sidecar]))


@pytest.mark.parametrize("shell", [["sh", "-c"], ["/bin/bash", "-ec"]])
def test_a_shell_that_passes_no_arguments_on(api, shell):
    containers = server(command=shell, args=["exec python -m model"])
    refusal = api.refusal(isvc(workers=2, containers=containers))
    assert "the container's command is a shell's -c, which passes no arguments on" in refusal
    refusal = api.refusal(isvc(batching={"maxBatchSize": 8}, containers=containers))
    assert "spec.predictor.batching cannot reach the server" in refusal
    assert api.accepted(isvc(containers=containers))


@pytest.mark.parametrize("count", [0, -1])
def test_no_replicas(api, count):
    refusal = api.refusal(isvc(minReplicas=count))
    assert "spec.predictor.minReplicas must be at least 1" in refusal
    assert 'annotate the InferenceService with serving.kserve.io/stop: "true"' in refusal


def test_more_replicas_at_least_than_at_most(api):
    refusal = api.refusal(isvc(minReplicas=3, maxReplicas=2))
    assert "spec.predictor.minReplicas is more than spec.predictor.maxReplicas: raise" in refusal


@pytest.mark.parametrize(
    ("predictor", "want"),
    [
        ({"scaleMetric": "rps"}, "spec.predictor.scaleMetric must be cpu or memory"),
        ({"scaleMetric": "concurrency"}, "spec.predictor.scaleMetric must be cpu or memory"),
        ({"scaleMetric": "memory"}, "set spec.predictor.scaleTarget"),
        ({"scaleMetricType": "AverageValue"}, "spec.predictor.scaleMetricType must be Utilization"),
        ({"restartPolicy": "Never"}, "spec.predictor.restartPolicy must be Always"),
        ({"activeDeadlineSeconds": 5}, "spec.predictor.activeDeadlineSeconds is not supported"),
        ({"workers": 0}, "spec.predictor.workers in body should be greater than or equal to 1"),
        ({"timeout": 0}, "spec.predictor.timeout in body should be greater than or equal to 1"),
        ({"batching": {"maxBatchSize": 0}}, "spec.predictor.batching.maxBatchSize in body should be greater than"),
        ({"batching": {"maxBatchSize": 2, "maxLatency": -1}}, "spec.predictor.batching.maxLatency in body should be"),
        ({"batching": {"maxBatchSize": 2, "timeout": 0}}, "spec.predictor.batching.timeout in body should be"),
        ({"workers": "two"}, "spec.predictor.workers in body must be of type integer"),
    ],
)
def test_other_values_that_cannot_work(api, predictor, want):
    assert want in api.refusal(isvc(**predictor))


def test_a_misspelt_field_is_named(api):
    assert 'unknown field "spec.predictor.wokers"' in api.refusal(isvc(wokers=2))
