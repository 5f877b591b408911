"""What is wrong is said within seconds, with the pod, the container and the remedy; it heals by itself."""

from __future__ import annotations

from tests.e2e.ingress import Ingress
from tests.e2e.kubectl import Kubectl, until
from tests.e2e.objects import IRIS, LAUNCHER, REGISTRY, SMALL, claim, isvc, secret

SETOSA = [5.1, 3.5, 1.4, 0.2]


def python(*lines: str) -> dict[str, object]:
    """A container that runs a few lines in the place of the server."""
    return {"command": [LAUNCHER, "--", "python", "-c", "\n".join(lines)]}


def test_an_image_that_does_not_exist(kubectl: Kubectl) -> None:
    kubectl.apply(isvc("m", container={"image": f"{REGISTRY}/nowhere:v1"}))
    condition = kubectl.wait_reason("m", "ImagePullBackOff")
    pod = kubectl.items("pods")[0]["metadata"]["name"]
    assert pod in condition["message"]
    assert f"{REGISTRY}/nowhere:v1" in condition["message"]
    assert kubectl.isvc("m")["status"]["modelStatus"]["transitionStatus"] == "BlockedByFailedLoad"


def test_a_model_that_fails_to_load_shows_its_last_lines(kubectl: Kubectl) -> None:
    kubectl.apply(isvc("m", container=python("raise RuntimeError('weights.npz is not for this model')")))
    condition = kubectl.wait_reason("m", "CrashLoopBackOff")
    assert "RuntimeError: weights.npz is not for this model" in condition["message"]
    failure = kubectl.isvc("m")["status"]["modelStatus"]["lastFailureInfo"]
    assert (failure["reason"], failure["exitCode"]) == ("ModelLoadFailed", 1)


def test_a_container_out_of_memory_names_its_limit(kubectl: Kubectl) -> None:
    limits = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}}
    kubectl.apply(isvc("m", container={**python("x = bytearray(512 << 20)"), "resources": limits}))
    condition = kubectl.wait_reason("m", "OOMKilled")
    assert "64Mi" in condition["message"]


def test_a_pod_that_fits_on_no_node(kubectl: Kubectl) -> None:
    huge = {"requests": {"cpu": "900", "memory": "128Mi"}, "limits": {"cpu": "900", "memory": "128Mi"}}
    kubectl.apply(isvc("m", container={"resources": huge}))
    assert "cpu" in kubectl.wait_reason("m", "Unschedulable")["message"].lower()


def test_a_missing_claim_is_named_and_heals(kubectl: Kubectl) -> None:
    kubectl.apply(isvc("iris", storageUri="pvc://weights/iris"))
    assert "weights" in kubectl.wait_reason("iris", "Unschedulable")["message"]
    kubectl.apply(claim("weights"))
    until(
        lambda: "weights" not in kubectl.condition("iris").get("message", ""),
        60,
        lambda: f"still {kubectl.condition('iris')}",
    )


def test_a_missing_secret_is_named_and_heals(kubectl: Kubectl, ingress: Ingress) -> None:
    reference = {"secretKeyRef": {"name": "license", "key": "key"}}
    kubectl.apply(isvc("iris", container={"env": [{"name": "LICENSE", "valueFrom": reference}]}))
    # A busy kubelet says at first only that it has not heard of the Secret in time.
    until(
        lambda: "'license'" in kubectl.wait_reason("iris", "CreateContainerConfigError")["message"],
        60,
        lambda: f"never named: {kubectl.isvc('iris').get('status')}",
    )
    kubectl.apply(secret("license", {"key": "x"}))
    assert ingress.predict(kubectl.wait_ready("iris", 180), [SETOSA]).status == 200


def test_a_volume_of_a_missing_secret_is_named_and_heals(kubectl: Kubectl, ingress: Ingress) -> None:
    volume = {"name": "license", "secret": {"secretName": "license"}}
    mounts = {"volumeMounts": [{"name": "license", "mountPath": "/license", "readOnly": True}]}
    kubectl.apply(isvc("iris", container=mounts, volumes=[volume]))
    condition = kubectl.wait_reason("iris", "FailedMount", seconds=30)
    pod = kubectl.items("pods")[0]["metadata"]["name"]
    assert f"pod {pod}, container kserve-container: volume 'license'" in condition["message"]
    assert "Secret 'license' does not exist" in condition["message"]
    kubectl.apply(secret("license", {"key": "x"}))
    assert ingress.predict(kubectl.wait_ready("iris", 180), [SETOSA]).status == 200


def test_weights_that_cannot_be_fetched_are_diagnosed_from_the_init_container(kubectl: Kubectl) -> None:
    kubectl.apply(isvc("m", storageUri="https://127.0.0.1:1/iris.npz"))
    condition = until(
        lambda: c if "storage-initializer" in (c := kubectl.condition("m")).get("message", "") else None,
        60,
        lambda: f"never named: {kubectl.isvc('m').get('status')}",
    )
    assert "https://127.0.0.1:1/iris.npz" in condition["message"]


def test_transitions_are_kubernetes_events(kubectl: Kubectl) -> None:
    kubectl.apply(isvc("iris"))
    kubectl.wait_ready("iris")
    until(
        lambda: "InferenceServiceReady" in kubectl("events", "--for", "inferenceservice/iris"),
        10,
        lambda: kubectl("events", "--for", "inferenceservice/iris"),
    )


def test_a_root_image_is_refused_by_pod_security_with_the_remedy(kubectl: Kubectl) -> None:
    kubectl.apply(isvc("m", container={"securityContext": {"runAsUser": 0, "runAsNonRoot": False}}))
    condition = kubectl.wait_reason("m", "FailedCreate")
    assert "PodSecurity" in condition["message"]


def test_a_bad_object_is_refused_at_apply_with_field_and_remedy(kubectl: Kubectl) -> None:
    twice = {"name": "kserve-container", "image": IRIS, "resources": SMALL, "args": ["--workers", "2"]}
    said = kubectl.apply(isvc("m", workers=3, containers=[twice]), check=False)
    assert "workers" in said
    assert "--workers" in said
    assert kubectl.find("isvc", "m") is None
