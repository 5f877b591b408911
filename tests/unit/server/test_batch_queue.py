"""When a batch starts and what is in it; the time is an argument."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright.server.batching.queue import BatchQueue


@dataclass(eq=False)
class Item:
    kind: str = "a"
    rows: int = 1
    name: str = ""


@pytest.fixture
def queue():
    """At most 8 rows, held for at most 5 ms."""
    return BatchQueue[Item](8, 0.005)


def put(queue, *items):
    for item in items:
        queue.put(item)
    return list(items)


def test_a_lone_request_starts_at_once_on_an_idle_model(queue):
    lone = put(queue, Item())
    assert queue.take(10.0, idle=True) == lone
    assert not queue
    assert queue.due is None


def test_what_came_while_the_model_worked_starts_together_and_in_order(queue):
    put(queue, Item())
    queue.take(10.0, idle=True)
    waiting = put(queue, *(Item() for _ in range(5)))
    queue.finished(10.1, 0.1, idle=True)
    assert queue.take(10.1, idle=True) == waiting


def test_beside_a_running_call_a_request_is_held_for_the_window(queue):
    held = put(queue, Item())
    assert queue.take(10.0, idle=False) == []
    assert queue.due == pytest.approx(10.005)
    assert queue.take(10.004, idle=False) == []
    assert queue.take(10.005, idle=False) == held


def test_a_full_batch_is_not_held(queue):
    full = put(queue, Item(rows=5), Item(rows=3))
    assert queue.take(10.0, idle=False) == full


def test_a_batch_has_no_more_rows_than_the_limit_and_the_rest_comes_next(queue):
    items = put(queue, Item(rows=5), Item(rows=4), Item(rows=3))
    assert queue.take(10.0, idle=True) == items[:1]
    assert queue.take(10.0, idle=False) == []
    queue.finished(10.1, 0.1, idle=True)
    assert queue.take(10.2, idle=True) == items[1:]


def test_callers_that_came_together_are_waited_for(queue):
    put(queue, Item(), Item(), Item())
    assert len(queue.take(10.0, idle=True)) == 3
    queue.finished(10.1, 0.1, idle=True)
    again = put(queue, Item())
    assert queue.take(10.1005, idle=True) == []
    again += put(queue, Item(), Item())
    assert queue.take(10.101, idle=True) == again


def test_callers_that_do_not_come_back_are_waited_for_no_longer_than_the_window(queue):
    put(queue, Item(), Item(), Item())
    queue.take(10.0, idle=True)
    queue.finished(10.1, 0.1, idle=True)
    lone = put(queue, Item())
    assert queue.take(10.101, idle=True) == []
    assert queue.due == pytest.approx(10.106)
    assert queue.take(queue.due, idle=True) == lone
    queue.finished(10.2, 0.1, idle=True)
    # And only once: it has been alone since.
    lone = put(queue, Item())
    assert queue.take(10.2001, idle=True) == lone


def test_nobody_is_waited_for_longer_than_a_call_takes(queue):
    put(queue, Item(), Item())
    queue.take(10.0, idle=True)
    queue.finished(10.002, 0.002, idle=True)
    put(queue, Item())
    assert queue.take(10.002, idle=True) == []
    assert queue.due == pytest.approx(10.004)


def test_nobody_is_waited_for_at_a_model_that_has_been_idle(queue):
    put(queue, Item(), Item(), Item())
    queue.take(10.0, idle=True)
    queue.finished(10.1, 0.1, idle=True)
    lone = put(queue, Item())
    assert queue.take(11.0, idle=True) == lone


def test_waiting_for_a_busy_model_does_not_count_as_being_held(queue):
    put(queue, Item(), Item())
    queue.take(10.0, idle=True)
    put(queue, Item())
    queue.finished(10.1, 0.1, idle=True)
    assert queue.take(10.1, idle=True) == []
    assert queue.due == pytest.approx(10.105)


def test_each_kind_has_batches_of_its_own_and_none_starves(queue):
    first = put(queue, *(Item("a", rows=4) for _ in range(4)))
    other = put(queue, Item("b"))
    taken = []
    for turn in range(3):
        taken.append(queue.take(10.0 + turn, idle=True))
        queue.finished(10.5 + turn, 0.5, idle=True)
    assert taken == [first[:2], other, first[2:]]


def test_who_left_is_not_taken(queue):
    gone, stays = put(queue, Item(), Item())
    queue.drop(gone)
    assert queue.take(10.0, idle=True) == [stays]
    put(queue, gone)
    queue.drop(gone)
    assert not queue


def test_without_a_window_nothing_is_held():
    queue = BatchQueue[Item](8, 0.0)
    for _ in range(2):
        held = put(queue, Item())
        assert queue.take(10.0, idle=False) == held
        queue.finished(10.1, 0.1, idle=False)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 7), st.booleans()), max_size=30),
    st.integers(0, 30),
)
def test_every_request_is_taken_once_with_its_kind_in_order_and_within_the_limit(requests, dropped):
    queue, now, taken = BatchQueue[Item](8, 0.005), 0.0, []
    items = [Item(kind, rows, str(n)) for n, (kind, rows, _) in enumerate(requests)]
    for item, (_, _, work) in zip(items, requests, strict=True):
        queue.put(item)
        now += 0.001
        if work and (batch := queue.take(now, idle=False)):
            taken.append(batch)
    if dropped < len(items) and not any(items[dropped] in batch for batch in taken):
        queue.drop(items[dropped])
        items.pop(dropped)
    for _ in range(len(items) + 1):
        now += 1
        queue.finished(now, 0.1, idle=True)
        if batch := queue.take(now + 0.5, idle=True):
            taken.append(batch)
    assert not queue
    assert all(sum(item.rows for item in batch) <= 8 and len({item.kind for item in batch}) == 1 for batch in taken)
    for kind in "abc":
        names = [item.name for batch in taken for item in batch if item.kind == kind]
        assert names == [item.name for item in items if item.kind == kind]
