"""Volumes that cannot be mounted, with the kubelet's part (pod status and events) written by the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from modelwright_operator.cluster.cache import Key
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.login import from_kubeconfig
from modelwright_operator.cluster.mounts import PATIENCE_SECONDS, MountEvents
from modelwright_operator.cluster.resources import CORE_EVENT, INFERENCE_SERVICE, POD, SERVICE_ACCOUNT
from modelwright_operator.observed import MountEvent

from tests.controlplane.api import Api, condition, isvc, until
from tests.controlplane.operator_process import ACCOUNT, account_kubeconfig

MISSING = 'MountVolume.SetUp failed for volume "license" : secret "keys" not found'


def kubelet_says(admin: Api, pod: dict[str, Any], message: str, at: str = "2026-01-01T12:00:00Z") -> None:
    """Write an event about a pod as the kubelet does."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    about = {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": name, "uid": pod["metadata"]["uid"]}
    event = {
        "metadata": {"generateName": f"{name}."},
        "involvedObject": about,
        "reason": "FailedMount",
        "type": "Warning",
        "message": message,
        "source": {"component": "kubelet"},
        "lastTimestamp": at,
    }
    admin.create(CORE_EVENT, namespace, event)


def bind(admin: Api, pod: dict[str, Any]) -> None:
    """Put a pod on a node, where none is, as the scheduler does.

    Only after the scheduler has given the pod up: else it writes PodScheduled=False over what the test writes.
    """
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    until(
        lambda: condition(admin.get(POD, namespace, name), "PodScheduled").get("reason") == "Unschedulable",
        seconds=30.0,
        what="the scheduler's verdict",
    )
    body = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": name},
        "target": {"kind": "Node", "name": "nowhere"},
    }
    admin.request("POST", POD.path(namespace, name, "binding"), body)


def show(admin: Api, pod: dict[str, Any], *conditions: str) -> None:
    """Write a pod's status as the kubelet does while it makes the containers."""
    state = {"waiting": {"reason": "ContainerCreating"}}
    container = {"name": "kserve-container", "ready": False, "restartCount": 0, "image": "x", "imageID": ""}
    status = {
        "conditions": [{"type": each, "status": "True"} for each in ("PodScheduled", *conditions)],
        "containerStatuses": [{**container, "state": state}],
    }
    admin.merge_status(POD, pod["metadata"]["namespace"], pod["metadata"]["name"], status)


def test_a_volume_of_a_missing_secret_is_named_until_it_is_mounted(admin, namespace, operator):
    container = {"name": "kserve-container", "image": "registry.example/model:1"}
    container |= {"volumeMounts": [{"name": "license", "mountPath": "/license"}]}
    volume = {"name": "license", "secret": {"secretName": "keys"}}
    admin.create(INFERENCE_SERVICE, namespace, isvc("m", containers=[container], volumes=[volume]))
    (pod,) = until(lambda: admin.items(POD, namespace), what="a pod")
    bind(admin, pod)
    show(admin, pod)
    kubelet_says(admin, pod, MISSING)

    def ready() -> dict[str, Any]:
        return condition(admin.get(INFERENCE_SERVICE, namespace, "m"))

    until(lambda: ready().get("reason") == "FailedMount", what="FailedMount")
    assert "container kserve-container: volume 'license'" in ready()["message"]
    assert "Secret 'keys' does not exist. Create it" in ready()["message"]
    show(admin, pod, "PodReadyToStartContainers")
    until(lambda: ready().get("reason") == "RolloutInProgress", seconds=10.0, what="FailedMount withdrawn")


@pytest.fixture
async def client(operator_kubeconfig: Path) -> AsyncIterator[Client]:
    async with Client(from_kubeconfig(operator_kubeconfig)) as client:
        yield client


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def a_pod(admin: Api, namespace: str, name: str = "p") -> dict[str, Any]:
    container = {"name": "kserve-container", "image": "x"}
    return admin.create(POD, namespace, {"metadata": {"name": name}, "spec": {"containers": [container]}})


async def test_a_pod_is_given_time_and_then_asked_about_ever_more_seldom(admin, namespace, client):
    clock, key = Clock(), Key(namespace, "m")
    mounts, pod = MountEvents(client, clock=clock), a_pod(admin, namespace)
    other = a_pod(admin, namespace, "other")
    kubelet_says(admin, other, "of another pod")
    kubelet_says(admin, pod, MISSING)
    assert await mounts.about(key, [pod], at_once=False) == ({}, PATIENCE_SECONDS)
    clock.now += PATIENCE_SECONDS
    told = {"p": MountEvent("FailedMount", MISSING)}
    assert await mounts.about(key, [pod], at_once=False) == (told, 3.0)
    kubelet_says(admin, pod, "newer", "2026-01-01T12:00:30Z")
    clock.now += 1.0
    assert await mounts.about(key, [pod], at_once=False) == (told, 2.0)
    clock.now += 57.0
    newer = {"p": MountEvent("FailedMount", "newer")}
    assert await mounts.about(key, [pod], at_once=False) == (newer, 15.0)
    clock.now += 600.0
    assert await mounts.about(key, [pod], at_once=False) == (newer, 30.0)


async def test_nobody_is_asked_for_a_pod_that_waits_no_more(admin, namespace, client):
    clock, key = Clock(), Key(namespace, "m")
    mounts, pod = MountEvents(client, clock=clock), a_pod(admin, namespace)
    kubelet_says(admin, pod, MISSING)
    assert (await mounts.about(key, [pod], at_once=True))[0]
    assert await mounts.about(key, [], at_once=True) == ({}, None)


async def test_without_the_right_to_events_that_is_said_once_and_nobody_asks_again(
    admin, cluster, namespace, tmp_path, caplog
):
    admin.create(SERVICE_ACCOUNT, namespace, {"metadata": {"name": ACCOUNT}})
    async with Client(from_kubeconfig(account_kubeconfig(cluster, tmp_path, namespace=namespace))) as client:
        mounts, pod = MountEvents(client, clock=Clock()), a_pod(admin, namespace)
        assert await mounts.about(Key(namespace, "m"), [pod], at_once=True) == ({}, None)
        assert await mounts.about(Key(namespace, "n"), [pod], at_once=True) == ({}, None)
    (record,) = caplog.records
    assert f"list events in {namespace}" in record.getMessage()
