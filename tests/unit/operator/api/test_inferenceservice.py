"""Reading an InferenceService as the kube-apiserver returns it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright_operator.api import UNSUPPORTED, Batching, InferenceService, PredictorSpec
from pydantic import ValidationError

OWN_FIELDS = {field.alias or name for name, field in PredictorSpec.model_fields.items()}


def raw(predictor, **metadata):
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "m", "namespace": "ns", "generation": 3, **metadata},
        "spec": {"predictor": predictor},
    }


def read(predictor, **metadata):
    return InferenceService.model_validate(raw(predictor, **metadata))


def test_typed_fields_are_read_by_their_yaml_names():
    predictor = read(
        {
            "workers": 2,
            "httpPort": 9000,
            "grpcPort": 9001,
            "maxAsyncioWorkers": 8,
            "enableLatencyLogging": True,
            "batching": {"maxBatchSize": 32, "maxLatency": 10, "timeout": 30},
            "storageUri": "s3://b/k",
            "minReplicas": 1,
            "maxReplicas": 3,
            "scaleMetric": "memory",
            "scaleTarget": 70,
            "timeout": 5,
            "deploymentStrategy": {"type": "Recreate"},
            "labels": {"a": "b"},
            "annotations": {"c": "d"},
        }
    ).predictor
    assert (predictor.workers, predictor.http_port, predictor.grpc_port) == (2, 9000, 9001)
    assert (predictor.max_asyncio_workers, predictor.enable_latency_logging) == (8, True)
    assert predictor.batching == Batching(max_batch_size=32, max_latency=10, timeout=30)
    assert (predictor.storage_uri, predictor.timeout) == ("s3://b/k", 5)
    assert (predictor.min_replicas, predictor.max_replicas) == (1, 3)
    assert (predictor.scale_metric, predictor.scale_target) == ("memory", 70)
    assert predictor.deployment_strategy == {"type": "Recreate"}
    assert (predictor.labels, predictor.annotations) == ({"a": "b"}, {"c": "d"})
    assert predictor.pod_spec() == {}


@given(
    st.dictionaries(
        st.text(min_size=1).filter(
            lambda key: key not in OWN_FIELDS | set(PredictorSpec.model_fields) | {f.name for f in UNSUPPORTED}
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        ),
    )
)
def test_whatever_else_is_written_is_the_pod_spec(pod):
    assert read({"workers": 1, **pod}).predictor.pod_spec() == pod


def test_the_pod_spec_is_the_callers_to_edit():
    isvc = read({"containers": [{"name": "a", "image": "x"}]})
    isvc.predictor.pod_spec()["containers"][0]["image"] = "changed"
    assert isvc.predictor.pod_spec() == {"containers": [{"name": "a", "image": "x"}]}


def test_a_sole_container_serves_whatever_its_name():
    assert read({"containers": [{"name": "a"}]}).predictor.server_container == {"name": "a"}


def test_of_several_containers_kserve_container_serves():
    predictor = read({"containers": [{"name": "a"}, {"name": "kserve-container"}]}).predictor
    assert predictor.server_container == {"name": "kserve-container"}


@pytest.mark.parametrize("containers", [[], [{"name": "a"}, {"name": "b"}]])
def test_no_container_serves_where_none_is_meant(containers):
    assert read({"containers": containers}).predictor.server_container is None


def test_a_read_object_cannot_be_changed():
    with pytest.raises(ValidationError):
        read({}).predictor.workers = 4


@pytest.mark.parametrize("predictor", [{"workers": 0}, {"httpPort": 65536}, {"labels": ["a"]}, "text"])
def test_what_no_schema_lets_through_raises(predictor):
    with pytest.raises(ValidationError):
        read(predictor)


def test_an_object_stored_under_kserves_crd_names_what_is_refused():
    isvc = InferenceService.model_validate(
        raw({"model": {"modelFormat": {"name": "sklearn"}}, "logger": {}})
        | {"spec": {"transformer": {}, "predictor": {"model": {}, "logger": {}}}}
    )
    assert {field.path for field in isvc.unsupported()} == {
        "spec.transformer",
        "spec.predictor.model",
        "spec.predictor.logger",
    }
    assert isvc.predictor.pod_spec() == {}


def test_reading_five_hundred_objects_is_cheap():
    """A full resync reads them all; the bound is 20 times what a slow machine was seen to need."""
    pod = {"containers": [{"name": "c", "image": "i", "env": [{"name": f"V{n}", "value": "x"} for n in range(50)]}]}
    objects = [raw(pod, name=f"m{n}") for n in range(500)]
    began = time.process_time()
    for one in objects:
        InferenceService.model_validate(one)
    assert time.process_time() - began < 0.1
