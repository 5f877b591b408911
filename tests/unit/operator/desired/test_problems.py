"""What is refused after `kubectl apply`: each message names the field and the remedy."""

from typing import Any

import pytest
from modelwright_operator import desired
from modelwright_operator.api import InferenceService

from tests.unit.operator.desired.build import isvc, settings

AUTOSCALER = "serving.kserve.io/autoscalerClass"


@pytest.mark.parametrize(
    ("service", "field", "words"),
    [
        (isvc(name="a" * 40, namespace="b" * 30), "metadata.name", "shorten the name or the namespace by 18"),
        (isvc(name="a" * 60), "metadata.name", "at most 53"),
        (isvc({"timeout": 5}), "spec.predictor.timeout", "an Ingress has no timeout"),
        (isvc({"minReplicas": 0}), "spec.predictor.minReplicas", "serving.kserve.io/stop"),
        (isvc({"scaleMetric": "memory"}), "spec.predictor.scaleTarget", "percent"),
        (isvc(annotations={AUTOSCALER: "keda"}), f"metadata.annotations[{AUTOSCALER}]", "'keda' is not supported"),
        (isvc({"storageUri": "ftp://x/y"}), "spec.predictor.storageUri", "use one of pvc://"),
        (isvc({"storageUri": "s3://b/k", "volumes": [{"name": "user-gcp-sa"}]}), "spec.predictor.volumes", "rename"),
        (
            isvc({"storageUri": "s3://b/k"}, container={"volumeMounts": [{"name": "v", "mountPath": "/mnt/models/"}]}),
            "spec.predictor.storageUri",
            "remove one",
        ),
        (
            isvc(container={"env": [{"name": "STORAGE_URI", "valueFrom": {"secretKeyRef": {}}}]}),
            "spec.predictor.containers[kserve-container].env[STORAGE_URI]",
            "write the URI out",
        ),
        (
            isvc(container={"ports": [{"containerPort": 8080}, {"containerPort": 80}]}),
            "spec.predictor.containers.ports",
            "port 80",
        ),
        (isvc({"containers": []}), "spec.predictor.containers", "give one"),
        (isvc({"canaryTrafficPercent": 10}), "spec.predictor.canaryTrafficPercent", "not supported"),
    ],
)
def test_a_problem_names_its_field_and_the_remedy(service: InferenceService, field: str, words: str) -> None:
    (problem,) = desired.problems(service, settings())
    assert problem.field == field
    assert words in problem.message


def test_a_sound_service_has_no_problems() -> None:
    assert desired.problems(isvc({"storageUri": "s3://b/k", "workers": 3}), settings()) == []


def test_a_timeout_works_with_http_routes() -> None:
    assert desired.problems(isvc({"timeout": 5}), settings(route_kind="HTTPRoute")) == []


def test_a_long_name_is_fine_where_no_host_is_made_of_it() -> None:
    service = isvc(name="a" * 40, namespace="b" * 30, labels={"networking.kserve.io/visibility": "cluster-local"})
    assert desired.problems(service, settings()) == []


def test_a_stopped_service_is_not_judged() -> None:
    assert desired.problems(isvc({"timeout": 5}, annotations={"serving.kserve.io/stop": "true"}), settings()) == []


def test_one_google_key_among_several_secrets_must_be_named() -> None:
    account: dict[str, Any] = {"secrets": [{"name": "a"}, {"name": "b"}]}
    service = isvc({"storageUri": "gs://b/k"})
    (problem,) = desired.problems(service, settings(), desired.Inputs(service_account=account))
    assert "storageSecretName" in problem.field
