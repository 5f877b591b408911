"""What is done next for a ModelImage, by what its Jobs have come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from modelwright_operator.build_plan import HANDOVER_SECONDS, RETRY_SECONDS, BuildPlan, make_build_plan, repository
from modelwright_operator.desired.build import Facts, Target, build_job, inputs_hash, resolve_job

from tests.unit.operator.build.objects import FACTS, ended, image, job, message, pod, report, target

NOON = datetime(2026, 1, 1, 12, 0, 10, tzinfo=UTC)
IMAGE = "registry.example.com/models/iris@sha256:" + "d" * 64
OTHER = replace(FACTS, source="registry.example.com/models/iris@sha256:" + "2" * 64)


def looked(of: Target, facts: Facts = FACTS, suffix: str = "1", **when: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The resolving Job and its pod, after it has told."""
    made = job(resolve_job(of, suffix), ended="2026-01-01T12:00:05Z", **when)
    return made, pod(made, ("resolve", ended(0, message(facts))), phase="Succeeded")


def build(of: Target, number: int, facts: Facts = FACTS, **how: Any) -> dict[str, Any]:
    return job(build_job(of, facts, number), at=f"2026-01-01T12:00:0{number}Z", **how)


def plan(of: Target, *objects: dict[str, Any], now: datetime = NOON) -> BuildPlan:
    jobs = [each for each in objects if each["kind"] == "Job"]
    return make_build_plan(of, jobs, [each for each in objects if each["kind"] == "Pod"], now)


def names(manifests: list[dict[str, Any]]) -> list[str]:
    return [manifest["metadata"]["name"] for manifest in manifests]


def test_first_source_and_builder_are_looked_at():
    made = plan(target())
    assert names(made.create) == [f"iris-look-{int(NOON.timestamp()):x}"]
    assert (made.delete, made.again, made.current) == ([], None, False)


def test_nothing_happens_while_it_is_looked_at():
    of = target()
    assert plan(of, job(resolve_job(of, "1"))).create == []


def test_what_was_told_is_built_and_looked_at_again_in_time():
    of = target()
    made = plan(of, *looked(of))
    assert names(made.create) == ["iris-build-1"]
    assert made.again == 295.0
    assert made.facts == FACTS


def test_what_cannot_move_is_looked_at_once():
    spec = {
        "builder": FACTS.builder,
        "runImage": FACTS.run_image,
        "source": {"registry": {"image": FACTS.source}},
    }
    of = target(image(**spec))
    assert plan(of, *looked(of)).again is None
    git = {"git": {"url": "https://git.example.com/x.git", "revision": "a" * 40}}
    assert not target(image(**{**spec, "source": git})).moves
    assert target(image(**{**spec, "source": {"git": {**git["git"], "revision": "main"}}})).moves
    assert target(image(**{**spec, "source": {"storageUri": "s3://models/iris"}})).moves
    assert target(image(**{**spec, "builder": "registry.example.com/builder:1"})).moves


def test_a_source_that_could_not_be_read_is_read_again_soon():
    of = target()
    failed = job(resolve_job(of, "1"), ended="2026-01-01T12:00:05Z", failed=True)
    made = plan(of, failed)
    assert (made.create, made.again) == ([], RETRY_SECONDS - 5)
    later = plan(of, failed, now=NOON + timedelta(seconds=RETRY_SECONDS))
    assert len(later.create) == 1


def test_a_look_at_something_else_is_over():
    of, before = target(), target(image(tag="registry.example.com/x:1", builder="registry.example.com/builder:0"))
    old, its_pod = looked(before)
    made = plan(of, old, its_pod)
    assert names(made.delete) == [old["metadata"]["name"]]
    assert made.facts is None


def test_while_it_is_looked_at_again_the_last_answer_holds():
    of = target(image({"latestImage": IMAGE, "builtInputs": inputs_hash(target(), FACTS), "buildCount": 1}))
    again = job(resolve_job(of, "2"), at="2026-01-01T12:05:05Z")
    made = plan(of, *looked(of), again)
    assert made.current
    assert (made.create, made.delete) == ([], [])


def test_a_build_that_runs_is_waited_for():
    of = target()
    made = plan(of, *looked(of), build(of, 1))
    assert (made.create, made.delete, made.current) == ([], [], True)


def test_a_finished_build_is_the_image():
    of = target()
    done = build(of, 1, ended="2026-01-01T12:00:09Z")
    made = plan(of, *looked(of), done, pod(done, ("export", ended(0, report("d"))), phase="Succeeded"))
    assert (made.latest_image, made.built_inputs) == (IMAGE, inputs_hash(of, FACTS))
    assert (made.create, made.current, made.build_count) == ([], True, 1)


def test_a_finished_build_without_its_report_is_lost_and_not_repeated_for_ever():
    of = target()
    made = plan(of, *looked(of), build(of, 1, ended="2026-01-01T12:00:09Z"))
    assert (made.lost, made.create, made.latest_image) == (True, [], "")


def test_a_pod_that_has_yet_to_tell_is_waited_for():
    of = target()
    done = build(of, 1, ended="2026-01-01T12:00:09Z")
    made = plan(of, *looked(of), done, pod(done, ("export", {"running": {}})))
    assert (made.awaited, made.lost, made.again, made.create) == (True, False, HANDOVER_SECONDS, [])


def test_a_moved_source_is_built_by_the_next_number():
    of = target(image({"latestImage": IMAGE, "builtInputs": inputs_hash(target(), FACTS), "buildCount": 4}))
    made = plan(of, *looked(of, OTHER))
    assert names(made.create) == ["iris-build-5"]


def test_the_newest_inputs_win_over_a_build_that_runs():
    of = target()
    old = build(of, 1)
    made = plan(of, *looked(of, OTHER), old)
    assert (names(made.delete), made.create, made.again) == (["iris-build-1"], [], HANDOVER_SECONDS)
    leftover = pod(old, ("export", {}), phase="Running")
    assert plan(of, *looked(of, OTHER), leftover).create == []
    assert len(plan(of, *looked(of, OTHER), {**leftover, "status": {"phase": "Failed"}}).create) == 1


def test_inputs_that_went_back_to_what_is_built_end_the_build_that_runs():
    of = target(image({"latestImage": IMAGE, "builtInputs": inputs_hash(target(), FACTS), "buildCount": 2}))
    made = plan(of, *looked(of), build(of, 2, OTHER))
    assert (names(made.delete), made.create, made.current) == (["iris-build-2"], [], True)


def test_a_failed_build_is_tried_again_when_its_job_would_be_another():
    of = target()
    failed = build(of, 1, ended="2026-01-01T12:00:09Z", failed=True)
    assert plan(of, *looked(of), failed).create == []
    larger = target(image(build={"resources": {"limits": {"memory": "4Gi"}}}))
    assert inputs_hash(larger, FACTS) == inputs_hash(of, FACTS)
    assert names(plan(larger, *looked(larger), failed).create) == ["iris-build-2"]


def test_another_image_of_the_operator_builds_nothing_again():
    of = target(storage_initializer_image="registry.example.com/modelwright:2")
    assert inputs_hash(of, FACTS) == inputs_hash(target(), FACTS)


@pytest.mark.parametrize(
    "changed",
    [
        target(image(tag="registry.example.com/models/iris:other")),
        target(image(build={"env": [{"name": "A", "value": "1"}]})),
        target(image(annotations={"modelwright.dev/rebuild": "1"})),
        target(build_env={"UV_INDEX": "https://index.example.com/simple"}),
    ],
    ids=["tag", "env", "annotation", "settings"],
)
def test_what_goes_into_the_image_is_built_again(changed):
    assert inputs_hash(changed, FACTS) != inputs_hash(target(), FACTS)


def test_finished_builds_beyond_the_limits_go_but_never_the_newest():
    of = target(image(successBuildHistoryLimit=1, failedBuildHistoryLimit=1))
    done = [
        build(of, n, replace(FACTS, source=str(n)), ended=f"2026-01-01T12:00:0{n}Z", failed=n > 2) for n in (1, 2, 3, 4)
    ]
    assert names(plan(of, *looked(of), *done).delete) == ["iris-build-1", "iris-build-3"]


def test_a_job_that_leaves_is_nobodys_build():
    of = target()
    leaving = build(of, 1)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:09Z"
    made = plan(of, *looked(of), leaving)
    assert (names(made.create), made.build) == (["iris-build-2"], None)


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("registry.example.com:5000/a/b:latest", "registry.example.com:5000/a/b"),
        ("registry.example.com:5000/a/b", "registry.example.com:5000/a/b"),
    ],
)
def test_the_repository_of_a_tag(tag, name):
    assert repository(tag) == name
