"""Which children there are, and which changes reach the pods."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright_operator import desired
from modelwright_operator.api import InferenceService

from tests.unit.operator.desired.build import isvc, settings


def deployment(service: InferenceService, **values: Any) -> dict[str, Any]:
    children = desired.children(service, settings(**values), desired.Inputs())
    return next(child for child in children if child["kind"] == "Deployment")


def container(service: InferenceService, **values: Any) -> dict[str, Any]:
    found: dict[str, Any] = deployment(service, **values)["spec"]["template"]["spec"]["containers"][0]
    return found


def kinds(service: InferenceService, **values: Any) -> list[str]:
    return [child["kind"] for child in desired.children(service, settings(**values), desired.Inputs())]


def test_a_stopped_service_has_no_children() -> None:
    assert kinds(isvc(annotations={"serving.kserve.io/stop": "true"})) == []


@pytest.mark.parametrize("value", ["none", "external"])
def test_no_autoscaler_where_the_author_or_somebody_else_scales(value: str) -> None:
    assert "HorizontalPodAutoscaler" not in kinds(isvc(annotations={"serving.kserve.io/autoscalerClass": value}))


@pytest.mark.parametrize(
    ("annotation", "replicas"), [("hpa", None), ("external", None), ("none", 3)], ids=["hpa", "external", "none"]
)
def test_replicas_are_written_only_where_nothing_scales(annotation: str, replicas: int | None) -> None:
    service = isvc({"minReplicas": 3}, annotations={"serving.kserve.io/autoscalerClass": annotation})
    assert deployment(service)["spec"].get("replicas") == replicas


def test_labelling_the_service_labels_its_children_and_restarts_nothing() -> None:
    before, after = deployment(isvc()), deployment(isvc(labels={"team": "vision"}, annotations={"note": "x"}))
    assert after["metadata"]["labels"]["team"] == "vision"
    assert after["metadata"]["annotations"] == {"note": "x"}
    assert not desired.would_roll(before, after)


@pytest.mark.parametrize(
    "change",
    [{"labels": {"a": "b"}}, {"workers": 2}, {"containers": [{"name": "c", "image": "other:v2"}]}],
    ids=["pod labels", "workers", "image"],
)
def test_a_change_of_the_predictor_rolls_pods(change: dict[str, Any]) -> None:
    assert desired.would_roll(deployment(isvc()), deployment(isvc(change)))


def test_a_change_of_the_autoscalers_range_rolls_nothing() -> None:
    assert not desired.would_roll(deployment(isvc()), deployment(isvc({"minReplicas": 2, "maxReplicas": 9})))


def test_the_input_is_not_changed() -> None:
    raw = isvc({"storageUri": "s3://b/k", "workers": 2}).model_dump(by_alias=True)
    service = InferenceService.model_validate(copy.deepcopy(raw))
    desired.children(service, settings(), desired.Inputs())
    assert service.model_dump(by_alias=True) == raw


def test_tracking_marks_of_deployment_tools_stay_with_the_object_they_track() -> None:
    found = deployment(isvc(annotations={"argocd.argoproj.io/tracking-id": "x", "meta.helm.sh/release-name": "y"}))
    assert "annotations" not in found["metadata"]


@pytest.mark.parametrize(
    ("written", "requests", "limits"),
    [
        ({}, "1", "1"),
        ({"limits": {"cpu": "500m"}}, "500m", "500m"),
        ({"requests": {"cpu": "4"}}, "4", "4"),
        ({"requests": {"cpu": "250m"}}, "250m", "1"),
        ({"limits": {"cpu": 3}}, "1", "3"),
    ],
)
def test_default_resources_never_contradict_what_is_given(written: dict[str, Any], requests: str, limits: str) -> None:
    resources = container(isvc(container={"resources": written}))["resources"]
    assert (resources["requests"]["cpu"], resources["limits"]["cpu"]) == (requests, limits)


def test_storage_uri_in_env_becomes_the_local_path() -> None:
    env = container(isvc(container={"env": [{"name": "STORAGE_URI", "value": "s3://b/k"}]}))["env"]
    assert {"name": "STORAGE_URI", "value": "/mnt/models"} in env


def test_the_drain_hook_ends_within_a_short_grace_period() -> None:
    assert container(isvc({"terminationGracePeriodSeconds": 6}))["lifecycle"]["preStop"]["sleep"]["seconds"] == 3
    assert "lifecycle" not in container(isvc({"terminationGracePeriodSeconds": 1}))


def test_grace_period_leaves_time_for_hook_and_requests() -> None:
    spec = deployment(isvc(), prestop_seconds=20)["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] == 50


@pytest.mark.parametrize(("said", "asked"), [("true", "httpGet"), ("false", "tcpSocket")])
def test_the_annotation_decides_how_readiness_is_asked(said: str, asked: str) -> None:
    service = isvc({"workers": 2} if said == "false" else {}, annotations={"modelwright.dev/model-server": said})
    assert asked in container(service)["readinessProbe"]


def test_readiness_asks_for_all_models_whatever_their_code_names_them() -> None:
    probe = container(isvc({"workers": 1}, container={"args": ["--model_name=n"]}))["readinessProbe"]
    assert probe["httpGet"]["path"] == "/v2/health/ready"


@pytest.mark.parametrize(
    "words", [{"args": ["--http_port=90"]}, {"args": ["--http_port", "90"]}, {"command": ["s", "--http_port", "90"]}]
)
def test_health_is_asked_on_the_port_in_the_arguments(words: dict[str, Any]) -> None:
    probe = container(isvc({"workers": 1}, container=words))["readinessProbe"]
    assert probe["httpGet"]["port"] == 90


def test_health_is_asked_on_the_rest_port_although_the_first_port_is_grpc() -> None:
    probe = container(isvc({"workers": 1}, container={"ports": [{"name": "h2c", "containerPort": 8081}]}))
    assert probe["readinessProbe"]["httpGet"]["port"] == 8080


def test_grpc_port_is_known_by_its_number_too() -> None:
    ports = [{"containerPort": 8080}, {"name": "rpc", "containerPort": 8081}]
    children = desired.children(isvc({"grpcPort": 8081}, container={"ports": ports}), settings(), desired.Inputs())
    assert [port.get("appProtocol") for port in children[0]["spec"]["ports"]] == [None, "kubernetes.io/h2c"]
    paths = children[-1]["spec"]["rules"][0]["http"]["paths"]
    assert [(path["path"], path["backend"]["service"]["port"]["number"]) for path in paths] == [
        ("/inference.GRPCInferenceService", 8081),
        ("/", 80),
    ]


def test_grpc_port_alone_keeps_rest_on_the_services_port_80() -> None:
    children = desired.children(isvc({"grpcPort": 9001}), settings(), desired.Inputs())
    ports = [(port["port"], port["targetPort"], port.get("appProtocol")) for port in children[0]["spec"]["ports"]]
    assert ports == [(80, 8080, None), (9001, 9001, "kubernetes.io/h2c")]


@given(
    labels=st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.from_regex(r"[a-z]{0,8}", fullmatch=True)),
    workers=st.none() | st.integers(1, 64),
    replicas=st.integers(1, 50),
)
def test_the_same_input_gives_the_same_children(labels: dict[str, str], workers: int | None, replicas: int) -> None:
    def once() -> list[dict[str, Any]]:
        service = isvc({"workers": workers, "minReplicas": replicas}, labels=dict(labels))
        return desired.children(service, settings(), desired.Inputs())

    assert once() == once()
