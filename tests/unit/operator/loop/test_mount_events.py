"""Which of a pod's events tells how its volumes stand."""

from __future__ import annotations

from typing import Any

from modelwright_operator.cluster.mounts import latest
from modelwright_operator.observed import MountEvent


def event(message: str, second: int, reason: str = "FailedMount", **times: Any) -> dict[str, Any]:
    at = f"2026-01-01T12:00:{second:02}Z"
    return {"reason": reason, "message": message, "metadata": {"creationTimestamp": at}, "lastTimestamp": at, **times}


def test_no_event_tells_nothing():
    assert latest([]) is None


def test_the_newest_event_tells_so_a_volume_that_is_mounted_by_now_is_no_longer_named():
    assert latest([event("a", 30), event("b", 34), event("a", 10)]) == MountEvent("FailedMount", "b")


def test_of_two_volumes_that_fail_in_turns_the_same_one_is_named_each_time():
    assert latest([event("a", 30), event("b", 31)]) == latest([event("b", 31), event("a", 32)])


def test_a_mount_tells_more_than_an_attachment():
    both = [event("attach", 30, "FailedAttachVolume"), event("mount", 30)]
    assert latest(both) == MountEvent("FailedMount", "mount")


def test_times_in_any_of_the_fields_of_an_event_count():
    series = {"lastObservedTime": "2026-01-01T12:00:50.123456Z"}
    newest = event("series", 1, lastTimestamp=None, eventTime="2026-01-01T12:00:01.000000Z", series=series)
    bare = event("bare", 20, lastTimestamp=None)
    assert latest([bare, event("last", 30), newest]) == MountEvent("FailedMount", "series")
