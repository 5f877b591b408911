from __future__ import annotations

import pytest

from cluster.progress import Estimate, duration, heading, rough


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (7.4, "7s"), (59.6, "1m00s"), (60, "1m00s"), (130, "2m10s"), (3599.7, "1h00m"), (3900, "1h05m")],
)
def test_a_duration_reads_as_a_person_says_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(3, "less than a minute left"), (55, "about 1 min left"), (260, "about 4 min left")]
)
def test_an_estimate_is_no_finer_than_it_deserves(seconds: float, text: str) -> None:
    assert rough(seconds) == text


def test_the_line_of_a_running_build() -> None:
    expected = "[3/9] kube-apiserver  2m10s, 412 packages compiled, about 4 min left"
    assert heading(3, 9, "kube-apiserver", 130, 412, 240) == expected


def test_nothing_compiled_yet_is_not_mentioned() -> None:
    assert heading(1, 1, "etcd", 0, 0, 30) == "[1/1] etcd  0s, less than a minute left"


def test_the_first_estimate_is_the_sum_of_what_was_measured_elsewhere() -> None:
    assert Estimate([30, 390, 60]).remaining([], 0) == pytest.approx(480)


def test_time_spent_on_the_running_job_is_taken_off() -> None:
    assert Estimate([30, 390, 60]).remaining([], 20) == pytest.approx(460)


def test_a_slower_machine_is_noticed_after_the_first_job() -> None:
    estimate = Estimate([300, 300])
    assert estimate.remaining([600], 0) > 1.5 * 300


def test_warm_caches_are_noticed_after_the_first_job() -> None:
    estimate = Estimate([390, 60, 60])
    assert estimate.remaining([4], 0) < 0.2 * 120


def test_a_job_that_overruns_never_makes_the_rest_negative() -> None:
    assert Estimate([30, 60]).remaining([], 10_000) >= 60
