"""What a model that spans pods becomes, and which changes make a new Ray of it."""

from typing import Any

import pytest
from modelwright_operator import desired
from modelwright_operator.api import InferenceService

from tests.unit.operator.desired.build import isvc, settings

AUTOSCALER = "serving.kserve.io/autoscalerClass"


def children(service: InferenceService) -> dict[tuple[str, str], dict[str, Any]]:
    made = desired.children(service, settings(), desired.Inputs())
    return {(child["kind"], child["metadata"]["name"]): child for child in made}


def spanning(worker: dict[str, Any] | None = None, **fields: Any) -> InferenceService:
    container = fields.pop("container", None)
    return isvc({"workerSpec": worker or {}, **fields}, container=container)


def template(service: InferenceService, name: str) -> dict[str, Any]:
    found: dict[str, Any] = children(service)["Deployment", name]["spec"]["template"]
    return found


def worker(service: InferenceService) -> dict[str, Any]:
    (found,) = template(service, "m-predictor-worker")["spec"]["containers"]
    return dict(found)


def revision(service: InferenceService) -> str:
    found = {template(service, name)["metadata"]["labels"]["modelwright.dev/ray"] for name in DEPLOYMENTS}
    assert len(found) == 1
    return str(found.pop())


DEPLOYMENTS = ("m-predictor", "m-predictor-worker")


@pytest.mark.parametrize(
    ("written", "workers", "nodes"),
    [
        ({}, 1, "2"),
        ({"size": 3}, 3, "4"),
        ({"pipelineParallelSize": 4}, 3, "4"),
        ({"size": 1, "pipelineParallelSize": 2}, 1, "2"),
    ],
    ids=["nothing", "size", "pipeline", "both"],
)
def test_size_and_kserves_pipeline_size_say_how_many_workers(written: dict[str, Any], workers: int, nodes: str) -> None:
    service = spanning(written)
    deployment = children(service)["Deployment", "m-predictor-worker"]
    assert deployment["spec"]["replicas"] == workers
    for container in (worker(service), template(service, "m-predictor")["spec"]["containers"][0]):
        assert {"name": "RAY_NODE_COUNT", "value": nodes} in container["env"]


def test_one_copy_is_served_and_nothing_scales_it() -> None:
    made = children(spanning())
    assert made["Deployment", "m-predictor"]["spec"]["replicas"] == 1
    assert not [name for name in made if name[0] == "HorizontalPodAutoscaler"]


@pytest.mark.parametrize(
    "change",
    [
        {"worker": {"size": 2}},
        {"worker": {"nodeSelector": {"a": "b"}}},
        {"container": {"image": "other:v2"}},
        {"container": {"env": [{"name": "A", "value": "1"}]}},
        {"annotations": {"a": "b"}},
    ],
    ids=["size", "workers' nodes", "image", "env", "annotations"],
)
def test_a_change_of_either_is_a_new_ray_of_both(change: dict[str, Any]) -> None:
    before, after = spanning(), spanning(**change)
    assert revision(before) != revision(after)
    for name in DEPLOYMENTS:
        one, other = (children(each)["Deployment", name] for each in (before, after))
        assert desired.would_roll(one, other), name
    assert ("Service", f"m-head-{revision(before)}") not in children(after)


def test_labelling_the_service_makes_no_new_ray() -> None:
    labelled = isvc({"workerSpec": {}}, labels={"team": "vision"})
    assert revision(labelled) == revision(spanning())


def test_a_worker_finds_the_head_of_its_own_revision() -> None:
    service = spanning(httpPort=9999)
    name = f"m-head-{revision(service)}"
    head = children(service)["Service", name]["spec"]
    assert head["selector"].items() <= template(service, "m-predictor")["metadata"]["labels"].items()
    assert not head["selector"].items() <= template(service, "m-predictor-worker")["metadata"]["labels"].items()
    env = {entry["name"]: entry["value"] for entry in worker(service)["env"]}
    assert env["RAY_ADDRESS"] == f"{name}:6379"
    assert env["MODELWRIGHT_HEAD_URL"] == f"http://{name}:9999/v2/health/ready"


def test_the_longest_name_still_makes_dns_labels() -> None:
    service = isvc({"workerSpec": {}}, name="a" * 53, labels={"networking.kserve.io/visibility": "cluster-local"})
    made = children(service)
    services = [child for child in made.values() if child["kind"] == "Service"]
    assert max(len(each["metadata"]["name"]) for each in services) == 63
    deployments = (f"{'a' * 53}-{each}" for each in ("predictor", "predictor-worker"))
    selected = {template(service, each)["metadata"]["labels"]["app"] for each in deployments}
    assert [len(each) for each in selected] == [63, 63]


def test_no_service_of_callers_leads_to_a_worker() -> None:
    service = spanning()
    selector = children(service)["Service", "m-predictor"]["spec"]["selector"]
    assert not selector.items() <= template(service, "m-predictor-worker")["metadata"]["labels"].items()


def test_a_worker_is_the_predictors_pod_but_for_what_serves_and_what_is_said_of_it() -> None:
    written = {
        "containers": [
            {
                "name": "any",
                "env": [{"name": "A", "value": "2"}],
                "resources": {"limits": {"nvidia.com/gpu": 1}},
                "volumeMounts": [{"name": "big", "mountPath": "/scratch"}],
            }
        ],
        "tolerations": [{"operator": "Exists"}],
    }
    service = spanning(
        written,
        workers=2,
        serviceAccountName="loader",
        volumes=[{"name": "small"}, {"name": "big"}],
        initContainers=[{"name": "prepare", "image": "busybox"}],
        container={
            "args": ["--replicas=2"],
            "ports": [{"containerPort": 8080}],
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}],
            "volumeMounts": [{"name": "small", "mountPath": "/scratch"}],
        },
    )
    pod, container = template(service, "m-predictor-worker")["spec"], worker(service)
    env = {entry["name"]: entry["value"] for entry in container["env"]}
    assert (container["image"], env["A"], env["B"]) == ("example.org/model:v1", "2", "1")
    assert not {"args", "ports", "startupProbe", "livenessProbe", "lifecycle"} & container.keys()
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "2Gi", "nvidia.com/gpu": "1"}
    assert [m["name"] for m in container["volumeMounts"] if m["mountPath"] == "/scratch"] == ["big"]
    assert (pod["serviceAccountName"], pod["initContainers"][0]["name"]) == ("loader", "prepare")
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert "tolerations" not in template(service, "m-predictor")["spec"]


def test_a_worker_may_live_until_the_predictor_has_finished_its_requests() -> None:
    service = spanning(terminationGracePeriodSeconds=100)
    assert template(service, "m-predictor-worker")["spec"]["terminationGracePeriodSeconds"] == 110


def test_a_worker_with_a_command_of_its_own_is_not_asked_whether_it_has_joined() -> None:
    assert "readinessProbe" not in worker(spanning({"containers": [{"name": "w", "command": ["ray", "start"]}]}))
    assert "readinessProbe" in worker(spanning({"containers": [{"name": "w", "command": ["modelwright", "join"]}]}))


def test_the_shared_memory_is_a_part_of_what_the_container_may_have() -> None:
    service = spanning(container={"resources": {"limits": {"memory": "3Gi"}}})
    volumes = {each["name"]: each for each in template(service, "m-predictor")["spec"]["volumes"]}
    assert volumes["ray-shm"]["emptyDir"] == {"medium": "Memory", "sizeLimit": str(2**30)}


def test_only_the_ports_that_serve_are_open_to_everybody() -> None:
    policies = children(spanning(grpcPort=9000, container={"ports": [{"containerPort": 8080}]}))
    (rule,) = policies["NetworkPolicy", "m-predictor"]["spec"]["ingress"]
    assert "from" not in rule
    assert [port["port"] for port in rule["ports"]] == [8080, 9000]
    ray = policies["NetworkPolicy", "m-ray"]["spec"]
    assert ray["ingress"] == [{"from": [{"podSelector": ray["podSelector"]}]}]


def test_the_token_is_of_this_very_service_and_nobody_changes_it() -> None:
    secret = desired.ray_token(isvc({"workerSpec": {}}, uid="0123456789"), "t")
    assert secret is not None
    assert (secret["metadata"]["name"], secret["immutable"]) == ("m-ray-01234567", True)
    assert secret["stringData"] == {"token": "t"}
    assert desired.ray_token(isvc(), "t") is None
    assert desired.ray_token(isvc({"workerSpec": {}}, annotations={"serving.kserve.io/stop": "true"}), "t") is None


@pytest.mark.parametrize(
    ("service", "field", "words"),
    [
        (spanning({"hostNetwork": True}), "spec.predictor.workerSpec.hostNetwork", "set spec.predictor.hostNetwork"),
        (isvc({"workerSpec": {}}, annotations={AUTOSCALER: "hpa"}), f"metadata.annotations[{AUTOSCALER}]", "set none"),
        (spanning(minReplicas=2), "spec.predictor.workerSpec", "remove minReplicas"),
        (spanning({"size": 3, "pipelineParallelSize": 3}), "spec.predictor.workerSpec.size", "change one"),
        (
            spanning(container={"env": [{"name": "RAY_AUTH_TOKEN", "value": "x"}]}),
            "spec.predictor.workerSpec",
            "['RAY_AUTH_TOKEN'] of a container's env",
        ),
        (spanning(volumes=[{"name": "ray-shm"}]), "spec.predictor.volumes", "rename"),
    ],
)
def test_a_problem_names_its_field_and_the_remedy(service: InferenceService, field: str, words: str) -> None:
    (problem,) = desired.problems(service, settings())
    assert problem.field == field
    assert words in problem.message
