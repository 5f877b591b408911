"""The operator as a process: its rights, its restarts, what it never writes, and who it never delays."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from modelwright_operator.cluster.resources import (
    AUTOSCALER,
    DEPLOYMENT,
    EVENT,
    INFERENCE_SERVICE,
    INGRESS,
    LEASE,
    SERVICE,
    SERVICE_ACCOUNT,
)

from tests.controlplane.api import NAMESPACE, Api, condition, isvc, until
from tests.controlplane.operator_process import (
    NAMESPACE as OPERATOR_NAMESPACE,
)
from tests.controlplane.operator_process import OperatorProcess, account_kubeconfig, install_rights

CHILDREN = (DEPLOYMENT, SERVICE, AUTOSCALER, INGRESS)


def reported(admin: Api, namespace: str, name: str) -> dict | None:
    obj = admin.get(INFERENCE_SERVICE, namespace, name)
    seen = (obj.get("status") or {}).get("observedGeneration") == obj["metadata"]["generation"]
    return obj if seen and condition(obj) else None


def quiet(admin: Api, namespace: str) -> dict[str, str]:
    """Wait until nothing in a namespace changes any more; return the resource versions.

    Without the autoscalers', whose controller writes their status every quarter of a minute.
    """

    def versions() -> dict[str, str]:
        return {
            f"{resource.kind}/{obj['metadata']['name']}": obj["metadata"]["resourceVersion"]
            for resource in (*CHILDREN, INFERENCE_SERVICE)
            if resource is not AUTOSCALER
            for obj in admin.items(resource, namespace)
        }

    def steady() -> dict[str, str] | None:
        before = versions()
        time.sleep(1.5)
        return before if versions() == before else None

    return until(steady, seconds=60.0, what="a steady state")


def test_nothing_but_the_status_is_written_into_the_users_object(admin, namespace, operator):
    made = admin.create(INFERENCE_SERVICE, namespace, isvc("m"))
    until(lambda: reported(admin, namespace, "m"), what="a status")
    obj = admin.get(INFERENCE_SERVICE, namespace, "m")
    assert "finalizers" not in obj["metadata"]
    assert "annotations" not in obj["metadata"]
    assert obj["spec"] == made["spec"]
    assert obj["metadata"]["generation"] == made["metadata"]["generation"]
    ours = [entry for entry in obj["metadata"]["managedFields"] if entry["manager"] == "modelwright"]
    assert [(entry["subresource"], list(entry["fieldsV1"])) for entry in ours] == [("status", ["f:status"])]
    theirs = [entry for entry in obj["metadata"]["managedFields"] if entry["manager"] != "modelwright"]
    assert theirs == made["metadata"]["managedFields"]


def test_a_transition_is_told_as_an_event(admin, namespace, operator):
    admin.create(INFERENCE_SERVICE, namespace, isvc("m"))

    def about_it() -> list[dict]:
        return [
            event
            for event in admin.items(EVENT, namespace)
            if event["regarding"]["kind"] == "InferenceService"
            and event["reportingController"] == "modelwright.dev/operator"
        ]

    (first, *_) = until(about_it, what="an event")
    assert first["regarding"]["name"] == "m"
    assert first["note"]


def test_a_new_generation_is_not_ready_because_the_old_one_was(admin, namespace, operator):
    """Without a kubelet a Deployment's status is ours to play: it claims to be complete, for the old generation."""
    admin.create(INFERENCE_SERVICE, namespace, isvc("m"))
    until(lambda: reported(admin, namespace, "m"), what="a status")
    spec = {"predictor": {"containers": [{"name": "kserve-container", "image": "registry.example/model:2"}]}}
    generation = admin.merge(INFERENCE_SERVICE, namespace, "m", {"spec": spec})["metadata"]["generation"]
    obj = until(lambda: reported(admin, namespace, "m"), what="a status for the new generation")
    assert obj["status"]["observedGeneration"] == generation
    assert condition(obj)["status"] != "True"


def test_the_rights_of_the_chart_suffice_and_reach_no_further(admin, namespace, operator, operator_kubeconfig):
    admin.create(INFERENCE_SERVICE, namespace, isvc("m"))
    until(lambda: reported(admin, namespace, "m"), what="a status")
    assert "forbidden" not in operator.log.lower()
    rights = Api(operator_kubeconfig)
    assert rights.allowed("patch", "deployments", "apps", namespace)
    # It creates the tokens of workers' Rays (ADR 27), and can read and change no Secret, those neither.
    assert rights.allowed("create", "secrets", namespace=namespace)
    for verb in ("get", "list", "watch", "update", "patch", "delete"):
        assert not rights.allowed(verb, "secrets", namespace=namespace), verb
    assert not rights.allowed("update", "inferenceservices", "serving.kserve.io", namespace)
    assert not rights.allowed("patch", "inferenceservices", "serving.kserve.io", namespace)
    assert not rights.allowed("list", "namespaces")
    assert not rights.allowed("list", "customresourcedefinitions", "apiextensions.k8s.io")
    assert not rights.allowed("create", "pods", namespace=namespace)
    assert not rights.allowed("create", "clusterrolebindings", "rbac.authorization.k8s.io")


def test_a_restart_with_many_services_writes_nothing(admin, namespace, operator):
    for number in range(30):
        admin.create(INFERENCE_SERVICE, namespace, isvc(f"m{number}"))
    for number in range(30):
        until(lambda number=number: reported(admin, namespace, f"m{number}"), seconds=30.0, what=f"m{number}")
    before, applies = quiet(admin, namespace), admin.applies()
    assert operator.stop() == 0
    operator.start()
    time.sleep(2.0)
    assert quiet(admin, namespace) == before
    assert admin.applies() == applies


def test_what_changed_while_the_operator_was_away_is_made_good(admin, namespace, operator):
    admin.create(INFERENCE_SERVICE, namespace, isvc("m"))
    until(lambda: reported(admin, namespace, "m"), what="a status")
    operator.kill()
    admin.delete(SERVICE, namespace, "m-predictor")
    admin.create(INFERENCE_SERVICE, namespace, isvc("later"))
    operator.start()
    for name in ("m-predictor", "later-predictor"):
        until(lambda name=name: admin.find(SERVICE, namespace, name), what=name)


def test_bad_objects_report_themselves_and_delay_nobody(admin, namespace, operator):
    long = "n" + "a" * 50  # with the namespace more than a DNS label holds
    for number in range(20):
        admin.create(INFERENCE_SERVICE, namespace, isvc(f"{long[:40]}{number:03d}"))
        unmounted = {"name": "kserve-container", "image": "x", "volumeMounts": [{"name": "nowhere", "mountPath": "/x"}]}
        admin.create(INFERENCE_SERVICE, namespace, isvc(f"bad{number}", containers=[unmounted]))
    started = time.monotonic()
    admin.create(INFERENCE_SERVICE, namespace, isvc("good"))
    until(lambda: admin.find(DEPLOYMENT, namespace, "good-predictor"), seconds=5.0, what="the good one's Deployment")
    assert time.monotonic() - started < 5.0
    bad = until(lambda: reported(admin, namespace, "bad0"), what="the bad one's status")
    assert condition(bad)["status"] == "False"
    assert "nowhere" in condition(bad)["message"]


def test_a_problem_that_no_schema_sees_is_reported_and_heals(admin, namespace, operator):
    annotations = {"annotations": {"serving.kserve.io/autoscalerClass": "keda"}}
    admin.create(INFERENCE_SERVICE, namespace, isvc("m", metadata=annotations))
    obj = until(lambda: reported(admin, namespace, "m"), what="a status")
    assert condition(obj)["status"] == "False"
    assert "autoscalerClass" in condition(obj)["message"]
    assert obj["status"]["modelStatus"]["transitionStatus"] == "InvalidSpec"
    assert admin.find(DEPLOYMENT, namespace, "m-predictor") is None
    admin.merge(INFERENCE_SERVICE, namespace, "m", {"metadata": {"annotations": None}})
    until(lambda: admin.find(DEPLOYMENT, namespace, "m-predictor"), what="the Deployment")


def test_a_service_account_that_gets_a_secret_reaches_the_deployment(admin, namespace, operator):
    """The ServiceAccount's Secrets are where credentials for the weights come from."""
    until(lambda: admin.find(SERVICE_ACCOUNT, namespace, "default"), what="the default ServiceAccount")
    admin.create(INFERENCE_SERVICE, namespace, isvc("m", storageUri="s3://bucket/model"))

    def environment() -> str:
        found = admin.find(DEPLOYMENT, namespace, "m-predictor") or {}
        return str(found.get("spec", {}).get("template", {}).get("spec", {}).get("initContainers", ""))

    until(environment, what="the init container")
    assert "weights-key" not in environment()
    admin.merge(SERVICE_ACCOUNT, namespace, "default", {"secrets": [{"name": "weights-key"}]})
    until(lambda: "weights-key" in environment(), seconds=2.0, what="the Secret's reference")


def test_an_operator_for_named_namespaces_needs_no_cluster_role_and_serves_no_other(
    admin, namespace, cluster, tmp_path
):
    own = f"modelwright-{secrets.token_hex(3)}"
    admin.create(NAMESPACE, None, {"metadata": {"name": own}})
    values = (f"watchNamespaces={{{namespace}}}", "fullnameOverride=modelwright-operator")
    install_rights(cluster, *values, namespace=own)
    kubeconfig = account_kubeconfig(cluster, tmp_path, namespace=own)
    assert not Api(kubeconfig).allowed("list", "inferenceservices", "serving.kserve.io")
    process = OperatorProcess(kubeconfig, tmp_path / "operator.log", "--namespace", namespace)
    process.start()
    try:
        admin.create(INFERENCE_SERVICE, namespace, isvc("m"))
        until(lambda: reported(admin, namespace, "m"), what="a status")
        assert "forbidden" not in process.log.lower()
    finally:
        assert process.stop() == 0, process.log
        admin.delete(NAMESPACE, None, own)


@pytest.fixture
def pair(admin: Api, cluster: Path, tmp_path: Path) -> Iterator[list[OperatorProcess]]:
    """Two operators with leader election, in a namespace of their own; not started."""
    own = f"modelwright-{secrets.token_hex(3)}"
    admin.create(NAMESPACE, None, {"metadata": {"name": own}})
    install_rights(cluster, "replicas=2", namespace=own)
    kubeconfig = account_kubeconfig(cluster, tmp_path, namespace=own)
    yield [
        OperatorProcess(kubeconfig, tmp_path / f"{name}.log", LEADER_ELECTION="true") for name in ("first", "second")
    ]
    admin.delete(NAMESPACE, None, own)
    install_rights(cluster, namespace=OPERATOR_NAMESPACE)


def test_a_standby_takes_over_and_writes_nothing_while_it_waits(admin, namespace, pair):
    first, second = pair
    first.start()
    until(lambda: "leading as" in first.log, what="a leader")
    second.start()
    try:
        admin.create(INFERENCE_SERVICE, namespace, isvc("m"))
        until(lambda: reported(admin, namespace, "m"), what="a status")
        assert "leading as" not in second.log
        assert first.stop() == 0, first.log
        until(lambda: "leading as" in second.log, seconds=10.0, what="the standby to lead (the lease was given back)")
        admin.create(INFERENCE_SERVICE, namespace, isvc("n"))
        until(lambda: reported(admin, namespace, "n"), what="a status by the second")
        assert "forbidden" not in second.log.lower()
        assert any(lease["spec"]["leaseTransitions"] >= 1 for lease in admin.items(LEASE, None) if ours(lease))
    finally:
        assert second.stop() == 0, second.log


def ours(lease: dict) -> bool:
    return lease["metadata"]["name"] == "modelwright-operator"
