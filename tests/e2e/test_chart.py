"""The installed chart: rights no wider than needed, a restart that touches nothing, CRDs that outlive an uninstall."""

from __future__ import annotations

import pytest

from demo import stack
from tests.e2e.kubectl import Kubectl, until
from tests.e2e.objects import isvc

ACCOUNT = f"system:serviceaccount:{stack.NAMESPACE}:modelwright-operator"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (("list", "secrets"), "no"),
        (("get", "secrets"), "no"),
        (("create", "pods"), "no"),
        (("delete", "namespaces"), "no"),
        (("patch", "inferenceservices.serving.kserve.io"), "no"),
        (("patch", "inferenceservices.serving.kserve.io", "--subresource=status"), "yes"),
        (("patch", "deployments.apps"), "yes"),
    ],
)
def test_the_operators_rights(admin: Kubectl, question: tuple[str, ...], answer: str) -> None:
    said = admin("auth", "can-i", *question, f"--as={ACCOUNT}", check=False)
    assert answer in said.split()
    assert {"yes": "no", "no": "yes"}[answer] not in said.split()


def test_a_restart_of_the_operator_touches_no_pod_and_no_object(kubectl: Kubectl, admin: Kubectl) -> None:
    kubectl.apply(isvc("iris"))
    kubectl.wait_ready("iris")
    kinds = "deployments,services,hpa,ingresses,pods,isvc"

    def written() -> dict[str, str]:
        """What the operator or a rollout would change; other controllers' status may move on."""
        metadata = {f"{each['kind']}/{each['metadata']['name']}": each["metadata"] for each in kubectl.items(kinds)}
        return {name: str(each.get("generation", each["uid"])) for name, each in metadata.items()}

    before, status = written(), kubectl.isvc("iris")["status"]
    admin("-n", stack.NAMESPACE, "rollout", "restart", "deployment/modelwright-operator")
    admin("-n", stack.NAMESPACE, "rollout", "status", "deployment/modelwright-operator", "--timeout=90s")
    # The new process has seen the object once it corrects it.
    kubectl("delete", "hpa", "iris-predictor")
    until(lambda: kubectl.find("hpa", "iris-predictor"), 30, lambda: "the new operator does not reconcile")
    assert {name: value for name, value in written().items() if "Autoscaler" not in name} == {
        name: value for name, value in before.items() if "Autoscaler" not in name
    }
    assert kubectl.isvc("iris")["status"] == status


def test_uninstalling_keeps_services_running_and_installing_again_takes_them_over(
    kubectl: Kubectl, admin: Kubectl
) -> None:
    kubectl.apply(isvc("iris"))
    kubectl.wait_ready("iris")
    pod = kubectl.items("pods")[0]["metadata"]["uid"]
    stack.uninstall()
    try:
        for crd in ("inferenceservices.serving.kserve.io", "modelimages.modelwright.dev"):
            assert admin.find("crd", crd) is not None
        assert kubectl.items("pods")[0]["metadata"]["uid"] == pod
        # No finalizer: what is deleted while no operator runs is gone all the same.
        kubectl("delete", "isvc", "iris", "--timeout=10s")
    finally:
        stack.install()
    kubectl.apply(isvc("iris"))
    kubectl.wait_ready("iris")
