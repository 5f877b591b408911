"""What the operator makes of a ModelImage: Jobs, and their outcome as status."""

from __future__ import annotations

from typing import Any

import pytest
from modelwright_operator.cluster.resources import CLAIM, EVENT, MODEL_IMAGE, SERVICE_ACCOUNT

from tests.controlplane.api import until
from tests.controlplane.builds import ended, facts

pytestmark = pytest.mark.usefixtures("operator")

IMAGE = "registry.example.com/models/iris"


def test_a_model_image_is_looked_at_built_and_told(builds, admin, namespace):
    builds.create()
    builds.says("Resolving")
    builds.resolve()
    job = builds.unfinished("build")
    assert job["metadata"]["name"] == "iris-build-1"
    builds.says("Building")
    builds.build("d")
    builds.latest("d")
    ready = builds.says("UpToDate")
    assert ready["status"] == "True"
    status = builds.status()
    assert (status["buildCount"], status["latestBuild"]) == (1, "iris-build-1")
    assert status["resolved"]["source"].endswith("1" * 64)
    for phase in ("Fetched", "Analyzed", "Detected", "Restored", "Built", "Exported"):
        assert builds.condition(phase)["status"] == "True", phase
    assert not builds.condition("Reconciling")

    def posted() -> set[str]:
        return {event["reason"] for event in admin.items(EVENT, namespace)}

    until(lambda: posted() >= {"BuildStarted", "ImageBuilt"}, what="events")


def test_a_failing_phase_is_named_with_its_last_lines_and_the_image_stays(builds, admin, namespace):
    builds.create()
    builds.resolve()
    builds.build("d")
    builds.latest("d")
    admin.merge(MODEL_IMAGE, namespace, "iris", {"spec": {"build": {"env": [{"name": "BP_X", "value": "1"}]}}})
    builds.fail("build", "ERROR: No matching distribution found for nonesuch==1.0\nSet another version.\n")
    ready = builds.says("BuildFailed")
    assert ready["status"] == "False"
    assert "nonesuch==1.0" in ready["message"]
    assert f"{IMAGE}@sha256:{'d' * 64} stays the image" in ready["message"]
    assert builds.condition("Restored")["status"] == "True"
    assert builds.condition("Built")["status"] == "False"
    assert builds.condition("Exported")["status"] == "Unknown"
    assert builds.condition("Stalled")["status"] == "True"
    assert builds.status()["latestImage"] == f"{IMAGE}@sha256:{'d' * 64}"
    # Nothing has changed, so nothing is tried again; what it waits for is a change.
    admin.merge(MODEL_IMAGE, namespace, "iris", {"metadata": {"labels": {"team": "blue"}}})
    assert len(builds.jobs("build")) == 2
    admin.merge(MODEL_IMAGE, namespace, "iris", {"spec": {"build": {"resources": {"limits": {"memory": "4Gi"}}}}})
    builds.build("e")
    builds.latest("e")


def test_a_source_that_cannot_be_read_is_said_and_read_when_it_can(builds, admin, namespace):
    builds.create()
    builds.resolve("registry.example.com/models/iris:source: the registry answers 404 Not Found. Push it.", fails=True)
    ready = builds.says("SourceUnavailable")
    assert "404 Not Found. Push it." in ready["message"]
    assert builds.condition("Fetched")["status"] == "False"
    assert builds.jobs("build") == []
    admin.merge(MODEL_IMAGE, namespace, "iris", {"spec": {"source": {"registry": {"image": f"{IMAGE}:other"}}}})
    builds.resolve()
    builds.build("d")
    builds.latest("d")


def test_an_outdated_build_gives_way_to_the_newest(builds, admin, namespace):
    builds.create()
    builds.resolve()
    first = builds.unfinished("build")
    builds.pod(first)
    admin.merge(MODEL_IMAGE, namespace, "iris", {"spec": {"source": {"registry": {"image": f"{IMAGE}:two"}}}})
    builds.resolve(facts(f"{IMAGE}@sha256:{'2' * 64}"))

    def replaced() -> bool:
        return [job["metadata"]["name"] for job in builds.jobs("build")] == ["iris-build-2"]

    until(replaced, what="build 2 in place of build 1")
    builds.build("e")
    builds.latest("e")
    assert builds.status()["buildCount"] == 2


def test_equal_inputs_are_not_built_again_and_the_annotation_builds_again(builds, admin, namespace):
    builds.create()
    builds.resolve()
    builds.build("d")
    builds.says("UpToDate")
    admin.merge(MODEL_IMAGE, namespace, "iris", {"spec": {"runImage": "registry.example.com/run:2"}})
    builds.says("Resolving")
    builds.resolve()
    builds.says("UpToDate")
    assert len(builds.jobs("build")) == 1
    admin.merge(MODEL_IMAGE, namespace, "iris", {"metadata": {"annotations": {"modelwright.dev/rebuild": "1"}}})
    builds.build("d")
    until(lambda: builds.status()["buildCount"] == 2, what="the second build")


def test_no_more_builds_are_kept_than_asked_for(builds, admin, namespace):
    def rebuild(number: int) -> dict[str, Any]:
        return {"metadata": {"annotations": {"modelwright.dev/rebuild": str(number)}}}

    builds.create(successBuildHistoryLimit=1, failedBuildHistoryLimit=1)
    builds.resolve()
    builds.build("d")
    builds.latest("d")
    for number, outcome in enumerate(("e", "", "", "f"), start=2):
        admin.merge(MODEL_IMAGE, namespace, "iris", rebuild(number))
        until(lambda wanted=number: builds.status().get("buildCount") == wanted, what=f"build {number}")
        if outcome:
            builds.build(outcome)
            builds.latest(outcome)
        else:
            builds.fail("detect", "ERROR: No buildpack groups passed detection.")
            until(lambda: builds.condition().get("reason") == "DetectFailed", what="DetectFailed")
    until(
        lambda: [job["metadata"]["name"] for job in builds.jobs("build")] == ["iris-build-4", "iris-build-5"],
        what="one each",
    )


def test_the_cache_is_a_claim_that_goes_when_it_is_not_asked_for(builds, admin, namespace):
    builds.create(cache={"volume": {"size": "1Gi"}})
    claim = until(lambda: admin.find(CLAIM, namespace, "iris-cache"), what="the claim")
    assert claim["metadata"]["ownerReferences"][0]["name"] == "iris"
    assert claim["spec"]["resources"]["requests"]["storage"] == "1Gi"
    admin.merge(MODEL_IMAGE, namespace, "iris", {"spec": {"cache": None}})
    until(
        lambda: (
            "deletionTimestamp"
            in (admin.find(CLAIM, namespace, "iris-cache") or {"metadata": {"deletionTimestamp": 1}})["metadata"]
        ),
        what="the claim's end",
    )


def test_pods_of_builds_are_admitted_where_pod_security_is_restricted(builds, admin, namespace):
    builds.create(cache={"volume": {}})
    builds.resolve()
    pod = builds.pod(builds.unfinished("build"))
    assert pod["spec"]["securityContext"]["runAsUser"] == 1000
    assert [each["name"] for each in pod["spec"]["initContainers"]] == [
        "fetch",
        "analyze",
        "detect",
        "restore",
        "build",
    ]
    assert pod["spec"]["automountServiceAccountToken"] is False


def test_a_build_whose_report_is_lost_is_said(builds, admin, namespace):
    builds.create()
    builds.resolve()
    job = builds.unfinished("build")
    pod = builds.pod(job)
    builds.end(pod, [], [ended("export")], "Succeeded")
    assert "modelwright.dev/rebuild=" in builds.says("ReportLost")["message"]


def test_an_account_that_gets_pull_secrets_is_used_at_once(builds, admin, namespace):
    builds.create(serviceAccountName="pusher")
    first = builds.unfinished("resolve")
    account = {"metadata": {"name": "pusher"}, "imagePullSecrets": [{"name": "registry"}]}
    admin.create(SERVICE_ACCOUNT, namespace, account)

    def mounted() -> bool:
        jobs = builds.jobs("resolve")
        volumes = jobs[-1]["spec"]["template"]["spec"]["volumes"] if jobs else []
        return any((each.get("secret") or {}).get("secretName") == "registry" for each in volumes)

    until(mounted, what="a resolving Job with the account's Secret")
    assert first["metadata"]["uid"] not in {job["metadata"]["uid"] for job in builds.jobs("resolve")}
