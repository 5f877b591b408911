"""Two controllers at odds over one object."""

from __future__ import annotations

from modelwright_operator.cluster.cache import Key, ObjectId
from modelwright_operator.contest import Contest

M, N = Key("ns", "m"), Key("ns", "n")
SERVICE = ObjectId("Service", "m-predictor")


def test_an_object_undone_each_time_is_left_alone_until_the_period_is_over():
    now = 100.0
    contest = Contest(lambda: now, limit=3, period=60.0)
    assert [contest.admits(M, SERVICE) for _ in range(4)] == [True, True, True, False]
    now += 59.9
    assert not contest.admits(M, SERVICE)
    now += 0.2
    assert contest.admits(M, SERVICE)


def test_one_contested_object_says_nothing_about_others():
    contest = Contest(lambda: 0.0, limit=1)
    assert contest.admits(M, SERVICE)
    assert not contest.admits(M, SERVICE)
    assert contest.admits(N, SERVICE)
    assert contest.admits(M, ObjectId("Deployment", "m-predictor"))


def test_a_service_that_is_gone_leaves_no_count():
    contest = Contest(lambda: 0.0, limit=1)
    contest.admits(M, SERVICE)
    contest.forget(M)
    assert contest.admits(M, SERVICE)
