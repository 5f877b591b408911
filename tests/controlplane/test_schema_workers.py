"""What the schema takes and refuses of `workerSpec`."""

import pytest

from tests.controlplane.schema_api import Admission, Kubectl, install_crds, isvc, server


@pytest.fixture(scope="module")
def api(cluster) -> Admission:
    install_crds(Kubectl(cluster))
    return Admission(cluster)


REFUSED_WORKERS = {
    "hostNetwork": True,
    "serviceAccountName": "other",
    "initContainers": [{"name": "i", "image": "x"}],
    "volumes": [{"name": "v", "emptyDir": {}}],
    "affinity": {"nodeAffinity": {}},
    "restartPolicy": "Never",
    "terminationGracePeriodSeconds": 5,
}


@pytest.mark.parametrize("field", REFUSED_WORKERS)
def test_what_workers_share_with_the_predictor_is_refused_with_where_to_set_it(api, field):
    refusal = api.refusal(isvc(workerSpec={field: REFUSED_WORKERS[field]}))
    assert f"spec.predictor.workerSpec.{field} is not supported: the workers' pods have the predictor's; set" in refusal


ONE = {"name": "worker-container"}


@pytest.mark.parametrize(
    ("predictor", "words"),
    [
        ({"workerSpec": {"pipelineParallelSize": 1}}, "set 2 or more, or remove workerSpec"),
        ({"workerSpec": {"size": 2, "pipelineParallelSize": 2}}, "size must be pipelineParallelSize - 1"),
        ({"workerSpec": {"containers": [ONE, {"name": "b"}]}}, "may have one container, which is the worker's"),
        (
            {"workerSpec": {"containers": [{**ONE, "env": [{"name": "RAY_AUTH_TOKEN", "value": "x"}]}]}},
            "workerSpec.containers sets RAY_ADDRESS, RAY_AUTH_*",
        ),
        (
            {"workerSpec": {}, "containers": server(env=[{"name": "TENSOR_PARALLEL_SIZE", "value": "2"}])},
            "one of spec.predictor.containers sets RAY_ADDRESS, RAY_AUTH_*",
        ),
        ({"workerSpec": {}, "minReplicas": 2}, "minReplicas and maxReplicas must be 1 or unset with workerSpec"),
        ({"workerSpec": {}, "maxReplicas": 2}, "raise workerSpec.size, or apply a second InferenceService"),
        ({"workerSpec": {}, "scaleTarget": 50}, "have no effect with workerSpec"),
        ({"workerSpec": {"size": 0}}, "spec.predictor.workerSpec.size"),
        ({"workerSpec": {"size": 1, "livenessProbe": {}}}, 'unknown field "spec.predictor.workerSpec.livenessProbe"'),
    ],
)
def test_a_worker_spec_that_cannot_be_is_refused_with_the_remedy(api, predictor, words):
    assert words in api.refusal(isvc(**predictor))


@pytest.mark.parametrize(
    "workers",
    [
        {},
        {"size": 3},
        {"pipelineParallelSize": 4, "tensorParallelSize": 8},
        {"size": 3, "pipelineParallelSize": 4, "nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}]},
        {"containers": [{**ONE, "image": "x", "resources": {"limits": {"nvidia.com/gpu": 1}}}]},
    ],
)
def test_kserves_worker_specs_are_accepted(api, workers):
    assert api.accepted(isvc(workerSpec=workers))["spec"]["predictor"]["workerSpec"] == workers
