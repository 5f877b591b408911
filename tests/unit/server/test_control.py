from __future__ import annotations

import json

import pytest
from modelwright.server.admin.control import Control


class Shed:
    """A Lifecycle as far as the parent uses it."""

    def __init__(self):
        self.shed_names = []

    def shed(self, name):
        self.shed_names.append(name)

    def missing(self, wanted):
        return sorted(wanted & set(self.shed_names))


class Family:
    """A parent's Control, and the workers' ends."""

    def __init__(self, workers):
        self.lifecycle = Shed()
        self.control = Control(self.lifecycle, ["a", "b"])
        self.ends = {}
        for number in range(1, workers + 1):
            self.fork(number)

    def fork(self, number):
        self.control.before_fork(number)
        self.ends[number] = self.control._born.dup()
        self.ends[number].settimeout(0)
        self.control.after_fork()

    def die(self, number):
        self.ends.pop(number).close()
        self.control.read()
        self.control.ended(number)

    def say(self, number, **message):
        self.ends[number].send(json.dumps(message).encode())
        self.control.read()

    def hear(self, number):
        try:
            return json.loads(self.ends[number].recv(65536))
        except BlockingIOError:
            return None

    def done(self, verb, error=None, *, by):
        for number in by:
            assert self.hear(number) == {"do": verb, "name": "a"}
            self.say(number, done=verb, error=error)


@pytest.fixture
def family():
    made = Family(2)
    yield made
    for end in made.ends.values():
        end.close()
    made.control.after_fork()
    for number in list(made.ends):
        made.control.ended(number)


def test_the_asker_hears_when_every_worker_has_done_it(family):
    family.say(1, ask=7, verb="unload", name="a")
    assert family.lifecycle.shed_names == ["a"]
    family.done("unload", by=[1])
    assert family.hear(1) is None
    family.done("unload", by=[2])
    assert family.hear(1) == {"answer": 7, "error": None}


def test_one_after_the_other(family):
    family.say(1, ask=1, verb="unload", name="a")
    family.say(2, ask=1, verb="load", name="a")
    family.done("unload", by=[1, 2])
    assert family.hear(1) == {"answer": 1, "error": None}
    family.done("load", by=[1, 2])
    assert family.hear(2) == {"answer": 1, "error": None}


def test_a_load_that_fails_in_one_is_undone_in_all(family):
    family.say(1, ask=1, verb="load", name="a")
    family.done("load", by=[1])
    family.done("load", "it broke", by=[2])
    family.done("unload", by=[1, 2])
    answer = family.hear(1)
    assert answer["error"] == "in 1 of 2 workers: it broke; it is unloaded in all of them again"
    assert family.lifecycle.shed_names == ["a"]


def test_a_failed_unload_is_told_after_the_others_have_done_it(family):
    family.say(1, ask=1, verb="unload", name="a")
    family.done("unload", "it would not", by=[2])
    family.done("unload", by=[1])
    assert family.hear(1) == {"answer": 1, "error": "in 1 of 2 workers: it would not"}


def test_a_worker_that_dies_of_a_load_is_a_failure_and_of_an_unload_none(family):
    family.say(1, ask=1, verb="unload", name="a")
    family.die(2)
    family.done("unload", by=[1])
    assert family.hear(1) == {"answer": 1, "error": None}
    family.fork(2)
    family.say(1, ask=2, verb="load", name="a")
    family.done("load", by=[1])
    family.die(2)
    family.done("unload", by=[1])
    assert "died while it loaded" in family.hear(1)["error"]


def test_a_worker_born_while_the_others_load_is_asked_too(family):
    family.die(2)
    family.say(1, ask=1, verb="load", name="a")
    family.fork(2)
    family.done("load", by=[1])
    assert family.hear(1) is None
    family.done("load", by=[2])
    assert family.hear(1) == {"answer": 1, "error": None}


def test_a_worker_born_after_a_load_has_yet_to_load_what_its_parent_has_not(family):
    for verb in ("unload", "load"):
        family.say(1, ask=1, verb=verb, name="a")
        family.done(verb, by=[1, 2])
        assert family.hear(1)["error"] is None
    family.control.before_fork(3)
    end, missing = family.control.in_worker()
    end.close()
    assert missing == ["a"]


def test_an_asker_that_died_is_not_answered_and_the_next_is(family):
    family.say(1, ask=1, verb="unload", name="a")
    family.say(2, ask=1, verb="load", name="a")
    family.die(1)
    family.done("unload", by=[2])
    family.done("load", by=[2])
    assert family.hear(2) == {"answer": 1, "error": None}


def test_a_dead_workers_channel_no_longer_wakes_the_parent(family):
    family.ends.pop(2).close()
    family.control.read()
    assert len(family.control.descriptors) == 1
