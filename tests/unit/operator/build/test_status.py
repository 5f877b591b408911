"""What a ModelImage's status says of its builds."""

from __future__ import annotations

from typing import Any

import pytest
from modelwright_operator.desired.build import build_job, facts_of, resolve_job
from modelwright_operator.observed.build import BuildView, build_status, build_transitions, image_digest, job_state

from tests.unit.operator.build.objects import FACTS, PHASES, ended, image, job, message, pod, report, target

NOW, LATER = "2026-01-01T12:00:00Z", "2026-01-01T12:05:00Z"
KINDS = ("Fetched", "Analyzed", "Detected", "Restored", "Built", "Exported")
IMAGE = "registry.example.com/models/iris@sha256:" + "d" * 64


def view_of(*states: dict[str, Any], failed: bool = False, over: bool = False, **more: Any) -> BuildView:
    """A build whose phases are in these states, the rest waiting."""
    made = job(build_job(target(), FACTS, 1), ended=NOW if failed or over else "", failed=failed)
    padded = [*states, *({"waiting": {"reason": "PodInitializing"}} for _ in PHASES[len(states) :])]
    its_pod = pod(made, *zip(PHASES, padded, strict=True))
    return BuildView(build=(made, job_state(made), its_pod), current=True, build_count=1, **more)


def status(view: BuildView, previous: dict[str, Any] | None = None, now: str = NOW) -> dict[str, Any]:
    return build_status(image(), view, previous or {}, now)


def condition(found: dict[str, Any], kind: str = "Ready") -> dict[str, Any]:
    return next((each for each in found["conditions"] if each["type"] == kind), {})


def test_each_phase_is_a_condition():
    found = status(view_of(ended(), ended(), {"running": {}}))
    assert [condition(found, kind)["status"] for kind in KINDS] == [
        "True",
        "True",
        "Unknown",
        "Unknown",
        "Unknown",
        "Unknown",
    ]
    assert condition(found, "Detected")["reason"] == "Running"
    assert condition(found, "Built")["message"] == "after Restored"
    assert (condition(found)["reason"], condition(found, "Reconciling")["status"]) == ("Building", "True")
    assert condition(found, "Stalled") == {}


def test_a_build_without_its_pod_points_at_the_job():
    made = job(build_job(target(), FACTS, 1))
    found = status(BuildView(build=(made, "running", None), current=True))
    assert "kubectl describe job iris-build-1" in condition(found, "Fetched")["message"]
    assert condition(found)["reason"] == "Building"
    gone = job(build_job(target(), FACTS, 1), ended=NOW, failed=True)
    lost = status(BuildView(build=(gone, "failed", None), current=True))
    assert condition(lost)["reason"] == "BuildLost"
    assert "modelwright.dev/rebuild=1" in condition(lost)["message"]


@pytest.mark.parametrize(
    ("phase", "kind", "reason"),
    [
        ("fetch", "Fetched", "FetchFailed"),
        ("analyze", "Analyzed", "AnalyzeFailed"),
        ("detect", "Detected", "DetectFailed"),
        ("restore", "Restored", "RestoreFailed"),
        ("build", "Built", "BuildFailed"),
        ("export", "Exported", "ExportFailed"),
    ],
)
def test_the_failing_step_is_named_with_its_last_lines(phase, kind, reason):
    before = [ended() for _ in PHASES[: PHASES.index(phase)]]
    found = status(view_of(*before, ended(51, "\x1b[31mERROR: no such thing\x1b[0m\n\nDo that.\n"), failed=True))
    failed = condition(found, kind)
    assert (failed["status"], failed["reason"]) == ("False", reason)
    assert failed["message"].endswith("(exit code 51).\nERROR: no such thing\nDo that.")
    assert condition(found)["reason"] == condition(found, "Stalled")["reason"] == reason


def test_a_step_that_said_nothing_points_at_its_log():
    found = status(view_of(ended(), ended(1), failed=True))
    assert "kubectl logs iris-build-1-x -c analyze" in condition(found)["message"]


def test_memory_and_time_are_named_as_such():
    found = status(view_of(*[ended()] * 4, ended(137, "", "OOMKilled"), failed=True))
    assert condition(found)["reason"] == "OOMKilled"
    assert "spec.build.resources.limits.memory" in condition(found)["message"]
    late = view_of(*[ended()] * 4, ended(143), failed=True)
    assert late.build
    late.build[0]["status"]["conditions"][0]["reason"] = "DeadlineExceeded"
    assert condition(status(late))["reason"] == "BuildTimedOut"
    assert "spec.build.timeoutSeconds" in condition(status(late))["message"]


def test_an_image_that_cannot_be_pulled_is_said():
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x": not found'}}
    found = status(view_of(ended(), waiting))
    assert (condition(found)["status"], condition(found)["reason"]) == ("False", "ImagePullBackOff")


def test_a_failing_build_keeps_the_image():
    found = status(view_of(ended(1, "no"), failed=True, latest_image=IMAGE, built_inputs="x"))
    assert found["latestImage"] == IMAGE
    assert condition(found)["message"].endswith(f"{IMAGE} stays the image.")


def test_a_finished_build_is_ready_and_equal_views_give_equal_statuses():
    view = view_of(*[ended()] * 6, over=True, latest_image=IMAGE, built_inputs="x")
    found = status(view)
    assert (condition(found)["status"], condition(found)["reason"]) == ("True", "UpToDate")
    assert {condition(found, kind)["status"] for kind in KINDS} == {"True"}
    assert status(view, found, LATER) == found


def test_a_source_that_cannot_be_read_is_fetcheds_and_readys_reason():
    looking = job(resolve_job(target(), "1"), ended=NOW, failed=True)
    its_pod = pod(looking, ("resolve", ended(1, "https://git.example.com/x.git: git does not answer. Check it.")))
    found = status(BuildView(looking=("failed", its_pod), latest_image=IMAGE, built_inputs="x"))
    assert condition(found, "Fetched")["reason"] == "SourceUnavailable"
    assert "git does not answer. Check it.\nIt is looked at again by itself. " in condition(found)["message"]


def test_a_source_that_cannot_be_read_is_said_until_the_next_look_is_over():
    failed = status(BuildView(looking=("failed", None), latest_image=IMAGE, built_inputs="x", current=True))
    assert condition(failed)["reason"] == "SourceUnavailable"
    again = BuildView(looking=("running", None), latest_image=IMAGE, built_inputs="x", current=True)
    assert status(again, failed, LATER) == failed
    changed = {**failed, "observedGeneration": 1}
    assert condition(status(again, changed))["status"] == "True"
    seen = BuildView(looking=("succeeded", None), latest_image=IMAGE, built_inputs="x", current=True)
    assert condition(status(seen, failed))["status"] == "True"


def test_a_look_that_does_not_start_is_said():
    looking = job(resolve_job(target(), "1"))
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x": not found'}}
    found = status(BuildView(looking=("running", pod(looking, ("resolve", waiting)))))
    assert (condition(found)["status"], condition(found)["reason"]) == ("False", "ImagePullBackOff")
    starting = BuildView(looking=("running", pod(looking, ("resolve", {"waiting": {"reason": "ContainerCreating"}}))))
    assert condition(status(starting))["reason"] == "Resolving"


def test_what_is_wrong_with_the_spec_comes_first():
    found = status(BuildView(problem="spec.builder is required: name one"))
    assert (condition(found)["reason"], condition(found)["message"]) == (
        "InvalidSpec",
        "spec.builder is required: name one",
    )


def test_what_was_resolved_stays_told_while_it_is_looked_at_again():
    resolved = {"source": "a", "builder": "b", "runImage": "c"}
    before = status(BuildView(resolved=resolved))
    assert status(BuildView(), before)["resolved"] == resolved


@pytest.mark.parametrize("text", ["", "[image]\n", 'digest = "sha256:abc"', "\nnot toml at all"])
def test_a_report_without_a_digest_has_none(text):
    assert image_digest(text) is None


def test_the_digest_is_found_in_a_report_that_lost_its_beginning():
    assert image_digest("bom = [}\n" + report("e")) == "sha256:" + "e" * 64


@pytest.mark.parametrize("text", ["", "[]", '{"source": "x"}', '{"uid": "many"}', "Traceback"])
def test_what_is_no_answer_is_none(text):
    assert facts_of(text) is None


def test_an_answer_is_read():
    assert facts_of(message()) == FACTS


def test_transitions_are_events():
    building = status(view_of({"running": {}}))
    assert [event.reason for event in build_transitions({}, building)] == ["BuildStarted"]
    done = status(view_of(*[ended()] * 6, over=True, latest_image=IMAGE, built_inputs="x"))
    assert [event.reason for event in build_transitions(building, done)] == ["ImageBuilt"]
    failed = status(view_of(ended(1, "no"), failed=True, latest_image=IMAGE, built_inputs="x"))
    assert [(event.type, event.reason) for event in build_transitions(done, failed)] == [("Warning", "FetchFailed")]
    assert build_transitions(failed, failed) == []
