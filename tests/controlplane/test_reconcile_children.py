"""What becomes of an InferenceService's children: made, kept, pruned, left alone."""

from __future__ import annotations

import time

import pytest
from modelwright_operator.cluster.resources import (
    AUTOSCALER,
    CHILDREN,
    DEPLOYMENT,
    HTTP_ROUTE,
    INFERENCE_SERVICE,
    INGRESS,
    NETWORK_POLICY,
    SERVICE,
    Resource,
)

from tests.controlplane.api import Api, condition, isvc, until

pytestmark = pytest.mark.usefixtures("operator")

GOLDEN = {DEPLOYMENT: "m-predictor", SERVICE: "m-predictor", AUTOSCALER: "m-predictor", INGRESS: "m"}


def create(admin: Api, namespace: str, name: str = "m", **fields) -> dict:
    """Create an InferenceService and wait until its children are there and its status says so."""
    made = admin.create(INFERENCE_SERVICE, namespace, isvc(name, **fields))
    settled(admin, namespace, name, made["metadata"]["generation"])
    return made


def settled(admin: Api, namespace: str, name: str, generation: int) -> dict:
    def look() -> dict | None:
        obj = admin.get(INFERENCE_SERVICE, namespace, name)
        seen = (obj.get("status") or {}).get("observedGeneration", 0)
        return obj if seen >= generation and condition(obj) else None

    return until(look, what=f"a status for generation {generation} of {name}")


def appears(admin: Api, resource: Resource, namespace: str, name: str, seconds: float = 30.0) -> dict:
    return until(lambda: admin.find(resource, namespace, name), seconds=seconds, what=f"{resource.kind} {name}")


def vanishes(admin: Api, resource: Resource, namespace: str, name: str, seconds: float = 30.0) -> None:
    until(lambda: admin.find(resource, namespace, name) is None, seconds=seconds, what=f"end of {resource.kind} {name}")


def test_children_have_kserves_names_and_belong_to_the_service(admin, namespace):
    owner = create(admin, namespace)
    for resource, name in GOLDEN.items():
        child = appears(admin, resource, namespace, name)
        assert child["metadata"]["labels"]["serving.kserve.io/inferenceservice"] == "m"
        (reference,) = child["metadata"]["ownerReferences"]
        assert (reference["uid"], reference["controller"]) == (owner["metadata"]["uid"], True)
    service = admin.get(SERVICE, namespace, "m-predictor")
    assert service["spec"]["selector"] == {"app": "isvc.m-predictor"}
    assert [(port["port"], port["targetPort"]) for port in service["spec"]["ports"]] == [(80, 8080)]


def test_the_longest_names_have_children_too_that_find_their_own_pods(admin, namespace):
    hidden = {"labels": {"networking.kserve.io/visibility": "cluster-local"}}
    selectors = []
    for name in ("a" * 48, "a" * 49, "a" * 52 + "b", "a" * 53):
        spanning = {"workerSpec": {"size": 2}} if name[-1] == "b" else {}
        create(admin, namespace, name, metadata=hidden, **spanning)
        service = appears(admin, SERVICE, namespace, f"{name}-predictor")
        deployment = appears(admin, DEPLOYMENT, namespace, f"{name}-predictor")
        selector = service["spec"]["selector"]
        assert deployment["spec"]["selector"]["matchLabels"] == selector
        assert selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
        selectors.append(selector["app"])
    appears(admin, DEPLOYMENT, namespace, f"{'a' * 52}b-predictor-worker")
    assert len(set(selectors)) == 4


@pytest.mark.parametrize("resource", list(GOLDEN), ids=lambda resource: resource.kind)
def test_a_deleted_child_is_back_at_once(admin, namespace, resource):
    create(admin, namespace)
    before = appears(admin, resource, namespace, GOLDEN[resource])["metadata"]["uid"]
    admin.delete(resource, namespace, GOLDEN[resource])

    def another() -> bool:
        found = admin.find(resource, namespace, GOLDEN[resource])
        return found is not None and found["metadata"]["uid"] != before

    until(another, seconds=10.0, what=f"another {resource.kind}")


def test_an_edited_field_is_put_right_at_once_and_a_foreign_field_stays(admin, namespace):
    create(admin, namespace)
    appears(admin, SERVICE, namespace, "m-predictor")
    edit = {
        "metadata": {"annotations": {"team": "blue"}, "labels": {"component": "edited"}},
        "spec": {"selector": {"app": "elsewhere"}, "sessionAffinity": "ClientIP"},
    }
    admin.merge(SERVICE, namespace, "m-predictor", edit)

    def right() -> bool:
        found = admin.get(SERVICE, namespace, "m-predictor")
        return (
            found["spec"]["selector"] == {"app": "isvc.m-predictor"}
            and found["metadata"]["labels"]["component"] == "predictor"
        )

    until(right, seconds=10.0, what="the selector put right")
    kept = admin.get(SERVICE, namespace, "m-predictor")
    assert kept["metadata"]["annotations"]["team"] == "blue"
    assert kept["spec"]["sessionAffinity"] == "ClientIP"


def test_a_removed_label_by_which_children_are_found_comes_back(admin, namespace):
    create(admin, namespace)
    appears(admin, SERVICE, namespace, "m-predictor")
    label = "serving.kserve.io/inferenceservice"
    admin.merge(SERVICE, namespace, "m-predictor", {"metadata": {"labels": {label: None}}})
    until(
        lambda: admin.get(SERVICE, namespace, "m-predictor")["metadata"]["labels"].get(label) == "m",
        seconds=2.0,
        what="the label",
    )


def test_a_label_of_the_service_reaches_the_children_and_restarts_no_pod(admin, namespace):
    create(admin, namespace)
    before = appears(admin, DEPLOYMENT, namespace, "m-predictor")
    admin.merge(INFERENCE_SERVICE, namespace, "m", {"metadata": {"labels": {"team": "blue"}}})

    def labelled() -> dict | None:
        found = admin.get(DEPLOYMENT, namespace, "m-predictor")
        return found if found["metadata"]["labels"].get("team") == "blue" else None

    after = until(labelled, what="the label on the Deployment")
    assert after["spec"]["template"] == before["spec"]["template"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


def test_a_field_taken_out_of_the_service_is_taken_out_of_the_deployment(admin, namespace):
    container = {"name": "kserve-container", "image": "registry.example/model:1"}
    create(admin, namespace, containers=[{**container, "env": [{"name": "A", "value": "1"}]}])
    appears(admin, DEPLOYMENT, namespace, "m-predictor")
    admin.merge(INFERENCE_SERVICE, namespace, "m", {"spec": {"predictor": {"containers": [container]}}})

    def names() -> set[str]:
        (found,) = admin.get(DEPLOYMENT, namespace, "m-predictor")["spec"]["template"]["spec"]["containers"]
        return {each["name"] for each in found.get("env", [])}

    until(lambda: "A" not in names(), what="A taken out of env")


def test_what_is_no_longer_wanted_is_pruned_and_comes_back(admin, namespace):
    create(admin, namespace)
    appears(admin, AUTOSCALER, namespace, "m-predictor")
    annotation = "serving.kserve.io/autoscalerClass"
    admin.merge(INFERENCE_SERVICE, namespace, "m", {"metadata": {"annotations": {annotation: "none"}}})
    vanishes(admin, AUTOSCALER, namespace, "m-predictor")
    label = {"metadata": {"labels": {"networking.kserve.io/visibility": "cluster-local"}}}
    admin.merge(INFERENCE_SERVICE, namespace, "m", label)
    vanishes(admin, INGRESS, namespace, "m")
    assert admin.find(DEPLOYMENT, namespace, "m-predictor")
    admin.merge(INFERENCE_SERVICE, namespace, "m", {"metadata": {"annotations": {annotation: None}}})
    appears(admin, AUTOSCALER, namespace, "m-predictor")


def test_a_fixed_number_of_pods_outlasts_the_change_to_an_autoscaler(admin, namespace):
    annotation = "serving.kserve.io/autoscalerClass"
    fixed = {"metadata": {"annotations": {annotation: "none"}}}
    create(admin, namespace, minReplicas=3, maxReplicas=5, **fixed)
    assert appears(admin, DEPLOYMENT, namespace, "m-predictor")["spec"]["replicas"] == 3
    admin.merge(INFERENCE_SERVICE, namespace, "m", {"metadata": {"annotations": {annotation: "hpa"}}})
    appears(admin, AUTOSCALER, namespace, "m-predictor")
    until(lambda: managers_of_replicas(admin, namespace) == {"modelwright-handover"}, what="replicas given up")
    assert admin.get(DEPLOYMENT, namespace, "m-predictor")["spec"]["replicas"] == 3
    scale = DEPLOYMENT.path(namespace, "m-predictor", "scale")
    admin.request("PATCH", scale, {"spec": {"replicas": 4}}, "application/merge-patch+json", fieldManager="scaler")
    assert managers_of_replicas(admin, namespace) == {"scaler"}
    admin.merge(INFERENCE_SERVICE, namespace, "m", fixed)
    until(lambda: managers_of_replicas(admin, namespace) == {"modelwright"}, what="replicas taken back")
    assert admin.get(DEPLOYMENT, namespace, "m-predictor")["spec"]["replicas"] == 3


def managers_of_replicas(admin: Api, namespace: str) -> set[str]:
    fields = admin.get(DEPLOYMENT, namespace, "m-predictor")["metadata"]["managedFields"]
    return {entry["manager"] for entry in fields if "f:replicas" in entry["fieldsV1"].get("f:spec", {})}


def test_stop_takes_everything_down_and_its_removal_brings_it_back(admin, namespace):
    create(admin, namespace)
    stop = {"metadata": {"annotations": {"serving.kserve.io/stop": "true"}}}
    admin.merge(INFERENCE_SERVICE, namespace, "m", stop)
    for resource, name in GOLDEN.items():
        vanishes(admin, resource, namespace, name)
    until(
        lambda: condition(admin.get(INFERENCE_SERVICE, namespace, "m"), "Stopped").get("status") == "True",
        seconds=20.0,
        what="Stopped",
    )
    stop["metadata"]["annotations"]["serving.kserve.io/stop"] = None
    admin.merge(INFERENCE_SERVICE, namespace, "m", stop)
    for resource, name in GOLDEN.items():
        appears(admin, resource, namespace, name)


def test_deletion_needs_no_operator_and_leaves_nothing(admin, namespace, operator):
    create(admin, namespace)
    for resource, name in GOLDEN.items():
        appears(admin, resource, namespace, name)
    operator.kill()
    admin.delete(INFERENCE_SERVICE, namespace, "m")
    assert admin.find(INFERENCE_SERVICE, namespace, "m") is None
    for resource in (*GOLDEN, Resource("apps/v1", "ReplicaSet", "replicasets"), Resource("v1", "Pod", "pods")):
        until(lambda found=resource: not admin.items(found, namespace), seconds=60.0, what=f"no {resource.kind}")
    operator.start()
    time.sleep(0.5)
    assert admin.find(DEPLOYMENT, namespace, "m-predictor") is None


def test_deletion_while_the_operator_runs_brings_no_child_back(admin, namespace):
    create(admin, namespace)
    admin.delete(INFERENCE_SERVICE, namespace, "m")
    for resource, name in GOLDEN.items():
        vanishes(admin, resource, namespace, name, seconds=60.0)
    time.sleep(1.0)
    assert all(admin.find(resource, namespace, name) is None for resource, name in GOLDEN.items())


def test_a_service_deleted_and_made_again_at_once_gets_children_of_its_own(admin, namespace):
    create(admin, namespace)
    admin.delete(INFERENCE_SERVICE, namespace, "m")
    uid = admin.create(INFERENCE_SERVICE, namespace, isvc("m"))["metadata"]["uid"]

    def own() -> bool:
        children = [admin.find(resource, namespace, name) for resource, name in GOLDEN.items()]
        return all(child and child["metadata"]["ownerReferences"][0]["uid"] == uid for child in children)

    until(own, seconds=60.0, what="children of the second InferenceService")


def test_somebody_elses_object_of_the_same_name_is_left_alone_and_reported(admin, namespace):
    foreign = {"metadata": {"name": "m-predictor"}, "spec": {"ports": [{"port": 9}], "selector": {"app": "theirs"}}}
    theirs = admin.create(SERVICE, namespace, foreign)
    create(admin, namespace)
    appears(admin, DEPLOYMENT, namespace, "m-predictor")

    def reported() -> bool:
        return "Service" in condition(admin.get(INFERENCE_SERVICE, namespace, "m")).get("message", "")

    until(reported, what="a condition that names the Service")
    assert (
        admin.get(SERVICE, namespace, "m-predictor")["metadata"]["resourceVersion"]
        == theirs["metadata"]["resourceVersion"]
    )
    assert "does not belong" in condition(admin.get(INFERENCE_SERVICE, namespace, "m"))["message"]
    admin.delete(SERVICE, namespace, "m-predictor")
    healed = until(
        lambda: admin.find(SERVICE, namespace, "m-predictor"),
        seconds=20.0,
        what="the Service made once the name is free",
    )
    assert healed["spec"]["selector"] == {"app": "isvc.m-predictor"}
    until(lambda: not reported(), seconds=10.0, what="the condition withdrawn")


def test_another_field_manager_loses_the_fields_that_are_ours(admin, namespace):
    create(admin, namespace)
    appears(admin, DEPLOYMENT, namespace, "m-predictor")
    theirs = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "m-predictor", "annotations": {"theirs": "yes"}},
        "spec": {"template": {"spec": {"containers": [{"name": "kserve-container", "image": "theirs"}]}}},
    }
    path = DEPLOYMENT.path(namespace, "m-predictor")
    admin.request("PATCH", path, theirs, "application/apply-patch+yaml", fieldManager="theirs", force="true")

    def image() -> str:
        return admin.get(DEPLOYMENT, namespace, "m-predictor")["spec"]["template"]["spec"]["containers"][0]["image"]

    until(lambda: image() == "registry.example/model:1", seconds=10.0, what="our image back")
    assert admin.get(DEPLOYMENT, namespace, "m-predictor")["metadata"]["annotations"]["theirs"] == "yes"


def test_all_owned_kinds_but_gateway_apis_and_workers_are_covered_here():
    assert set(GOLDEN) == set(CHILDREN) - {HTTP_ROUTE, NETWORK_POLICY}
