"""What KServe's users, clients and dashboards rely on, for its golden minimal case."""

from typing import Any

from modelwright_operator import desired

from tests.unit.operator.desired.build import isvc, settings


def by_kind(**values: Any) -> dict[str, dict[str, Any]]:
    children = desired.children(isvc(**values), settings(), desired.Inputs())
    return {child["kind"]: child for child in children}


def test_names_kinds_and_order() -> None:
    children = desired.children(isvc(), settings(), desired.Inputs())
    assert [(child["kind"], child["metadata"]["name"]) for child in children] == [
        ("Service", "m-predictor"),
        ("Deployment", "m-predictor"),
        ("HorizontalPodAutoscaler", "m-predictor"),
        ("Ingress", "m"),
    ]


def test_pods_are_selected_by_the_app_label_alone_and_carry_kserves_labels() -> None:
    found = by_kind()
    assert found["Service"]["spec"]["selector"] == {"app": "isvc.m-predictor"}
    assert found["Deployment"]["spec"]["selector"] == {"matchLabels": {"app": "isvc.m-predictor"}}
    assert found["Deployment"]["spec"]["template"]["metadata"]["labels"] == {
        "app": "isvc.m-predictor",
        "serving.kserve.io/inferenceservice": "m",
        "component": "predictor",
    }


def test_a_name_for_whose_app_label_kserve_has_no_room_gets_one_of_its_own() -> None:
    """KServe's Deployment is refused from 49 characters on, so nobody knows another value for them."""
    labels = {"networking.kserve.io/visibility": "cluster-local"}
    selected = {
        name: by_kind(name=name, labels=labels)["Service"]["spec"]["selector"]["app"]
        for name in ("a" * 48, "a" * 49, "a" * 53, "a" * 52 + "b")
    }
    assert selected.pop("a" * 48) == f"isvc.{'a' * 48}-predictor"
    assert [len(each) for each in selected.values()] == [63, 63, 63]
    assert len(set(selected.values())) == 3
    assert all(each.startswith("isvc.aaaa") and each[-1].isalnum() for each in selected.values())


def test_the_sole_container_is_renamed_and_gets_kserves_defaults() -> None:
    (container,) = by_kind(container={"name": "any"})["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["name"] == "kserve-container"
    assert container["resources"] == {
        "requests": {"cpu": "1", "memory": "2Gi"},
        "limits": {"cpu": "1", "memory": "2Gi"},
    }
    assert container["env"] == [{"name": "INFERENCE_SERVICE_NAME", "value": "m"}]
    assert container["readinessProbe"] == {
        "tcpSocket": {"port": 8080},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    assert "livenessProbe" not in container


def test_service_leads_from_port_80_to_8080_under_the_components_name() -> None:
    assert by_kind()["Service"]["spec"]["ports"] == [
        {"name": "m-predictor", "port": 80, "targetPort": 8080, "protocol": "TCP"}
    ]


def test_service_takes_the_containers_port_names_and_keeps_later_numbers() -> None:
    ports = [{"name": "http1", "containerPort": 9000}, {"name": "metrics", "containerPort": 9100}]
    found = by_kind(container={"ports": ports})["Service"]["spec"]["ports"]
    assert [(port["name"], port["port"], port["targetPort"]) for port in found] == [
        ("http1", 80, 9000),
        ("metrics", 9100, 9100),
    ]


def test_autoscaler_is_one_to_one_at_80_percent_cpu() -> None:
    spec = by_kind()["HorizontalPodAutoscaler"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 1)
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "m-predictor"}
    target = {"type": "Utilization", "averageUtilization": 80}
    assert spec["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def test_ingress_has_the_services_host_and_the_components() -> None:
    rules = by_kind()["Ingress"]["spec"]["rules"]
    assert [rule["host"] for rule in rules] == ["m-ns.example.com", "m-predictor-ns.example.com"]
    for rule in rules:
        (path,) = rule["http"]["paths"]
        assert (path["path"], path["pathType"]) == ("/", "Prefix")
        assert path["backend"] == {"service": {"name": "m-predictor", "port": {"number": 80}}}


def test_every_child_is_owned_so_that_deletion_needs_no_finalizer() -> None:
    for child in by_kind().values():
        (owner,) = child["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == ("u-1", True, True)
