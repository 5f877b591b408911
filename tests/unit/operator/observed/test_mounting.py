"""Volumes that cannot be mounted: told by the kubelet's events, only while the pod waits for them."""

from typing import Any

import pytest
from modelwright_operator.observed import MountEvent, pods_awaiting_volumes

from tests.unit.operator.observed.build import NEW, OLD, RUNNING, Cluster, condition, ended, isvc, pod, waiting

CREATING = waiting("ContainerCreating")
MOUNT = 'MountVolume.SetUp failed for volume "license" : '
POD = "iris-predictor-7d9f8c6b5d-x2x4z"
SECRET = {"name": "license", "secret": {"secretName": "keys", "items": [{"key": "k", "path": "k"}]}}


def cluster(volume: dict[str, Any] | None = None) -> Cluster:
    container = {
        "name": "kserve-container",
        "image": "registry.example.org/iris:v1",
        "volumeMounts": [{"name": "license", "mountPath": "/license"}],
    }
    service = isvc({"containers": [container], "volumes": [volume or SECRET]})
    return Cluster(service).rollout().with_pods(pod(state=CREATING))


def told(shown: Cluster, message: str, reason: str = "FailedMount") -> dict[str, Any]:
    """Return the status once the kubelet has said this of the pod."""
    shown.mount_events = {POD: MountEvent(reason, message)}
    return shown.status()


def test_a_missing_secret_is_named_with_pod_and_container_and_the_remedy() -> None:
    status = told(cluster(), f'{MOUNT}secret "keys" not found')
    found = condition(status)
    assert (found["status"], found["reason"]) == ("False", "FailedMount")
    assert found["message"] == (
        f"pod {POD}, container kserve-container: volume 'license' cannot be mounted: Secret 'keys' does not exist. "
        "Create it; the pod then starts by itself."
    )
    assert condition(status, "Stalled")["status"] == "True"
    assert status["modelStatus"]["lastFailureInfo"]["location"] == POD


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (f'{MOUNT}configmap "conf" not found', ["ConfigMap 'conf' does not exist", "Create it"]),
        (
            f'{MOUNT}[secret "a" not found, configmap "b" not found]',
            ["Secret 'a' and ConfigMap 'b' do not exist", "Create them"],
        ),
        (
            "Unable to attach or mount volumes: unmounted volumes=[license], unattached volumes=[], failed to process "
            "volumes=[license]: error processing PVC ns/weights: failed to fetch PVC from API server: "
            'persistentvolumeclaims "weights" not found',
            ["PersistentVolumeClaim 'weights' does not exist", "Create it"],
        ),
        (f"{MOUNT}references non-existent secret key: k", ["Secret 'keys' has no key 'k'", "Add the key"]),
    ],
)
def test_what_is_missing_is_named_and_somebody_has_to_make_it(message: str, words: list[str]) -> None:
    status = told(cluster(), message)
    text = condition(status)["message"]
    assert [word for word in words if word not in text] == []
    assert status["modelStatus"]["transitionStatus"] == "BlockedByFailedLoad"


@pytest.mark.parametrize(
    ("source", "message", "said"),
    [
        ({"secret": {"name": "s"}}, "references non-existent secret key: k", "Secret 's' has no key 'k'"),
        ({"configMap": {"name": "c"}}, "configmap references non-existent config key: k", "ConfigMap 'c' has no key"),
    ],
)
def test_a_missing_key_of_a_projected_volume_is_named_with_its_source(
    source: dict[str, Any], message: str, said: str
) -> None:
    (kind,) = source
    wanted = {kind: {**source[kind], "items": [{"key": "k", "path": "p"}]}}
    other = {kind: {"name": "other", "items": [{"key": "j", "path": "j"}]}}
    shown = cluster({"name": "license", "projected": {"sources": [other, wanted]}})
    text = condition(told(shown, MOUNT + message))["message"]
    assert said in text
    assert "other" not in text


def test_a_volume_that_the_node_cannot_mount_may_get_better_by_itself() -> None:
    status = told(cluster(), f"{MOUNT}mount failed: exit status 32")
    text = condition(status)["message"]
    assert "volume 'license' cannot be mounted: mount failed: exit status 32" in text
    assert f"kubectl describe pod {POD}" in text
    assert condition(status, "Reconciling")["status"] == "True"


def test_a_volume_that_cannot_be_attached_keeps_kubernetes_reason() -> None:
    message = 'AttachVolume.Attach failed for volume "pvc-1" : timed out waiting for external-attacher'
    found = condition(told(cluster(), message, "FailedAttachVolume"))
    assert found["reason"] == "FailedAttachVolume"
    assert "volume 'pvc-1' cannot be attached: timed out" in found["message"]


@pytest.mark.parametrize(
    "message",
    [
        f'{MOUNT}object "ns"/"keys" not registered',
        f"{MOUNT}failed to sync secret cache: timed out waiting for the condition",
    ],
)
def test_what_the_kubelet_has_not_heard_of_yet_is_no_failure(message: str) -> None:
    assert condition(told(cluster(), message))["reason"] == "RolloutInProgress"


@pytest.mark.parametrize(
    "moved_on",
    [
        pod(state=RUNNING),
        pod(state=CREATING, init=RUNNING, init_name="prepare"),
        pod(state=CREATING, last=ended(1)),
        pod(state=CREATING, scheduled={"type": "PodReadyToStartContainers", "status": "True"}),
        pod(),
    ],
    ids=["runs", "in its init container", "has run before", "has its volumes", "not on its node yet"],
)
def test_an_old_event_of_a_pod_that_has_moved_on_is_not_shown(moved_on: dict[str, Any]) -> None:
    shown = cluster().with_pods(moved_on)
    assert condition(told(shown, f'{MOUNT}secret "keys" not found'))["reason"] != "FailedMount"
    assert pods_awaiting_volumes(shown.pods, shown.deployment) == []


def test_a_pod_whose_init_container_waits_for_the_same_volume_is_asked_about() -> None:
    shown = cluster().with_pods(pod(state=waiting("PodInitializing"), init=waiting("PodInitializing")))
    assert len(pods_awaiting_volumes(shown.pods, shown.deployment)) == 1


def test_only_the_newest_rollouts_pods_with_a_volume_that_can_fail_are_asked_about() -> None:
    shown = cluster().with_pods(
        pod("new", state=CREATING, template_hash=NEW),
        pod("old", state=CREATING, template_hash=OLD),
        pod("leaving", state=CREATING, deleted=True),
    )
    assert [each["metadata"]["name"] for each in pods_awaiting_volumes(shown.pods, shown.deployment)] == ["new"]
    scratch = cluster({"name": "license", "emptyDir": {}})
    assert pods_awaiting_volumes(scratch.pods, scratch.deployment) == []
