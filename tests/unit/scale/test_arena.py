"""Memory that two processes share: slots filled, read in place, free again."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest
from modelwright.scale import arena
from modelwright.scale.arena import Arenas, Incoming, Outgoing, offered

MIB = 1024**2


class Both:
    """The two sides of one arena, in one process."""

    def __init__(self) -> None:
        self.descriptor = arena.create()
        self.outgoing, self.incoming = Outgoing(self.descriptor), Incoming(self.descriptor)

    @property
    def resident(self) -> int:
        """Bytes of pages that the kernel has given it."""
        return os.fstat(self.descriptor).st_blocks * 512

    def put(self, content: bytes) -> int:
        place = self.outgoing.put(content)
        assert place is not None
        return place


@pytest.fixture
def both() -> Iterator[Both]:
    made = Both()
    yield made
    os.close(made.descriptor)


def test_what_is_put_is_read_where_it_lies(both: Both) -> None:
    place = both.put(b"abc")
    view = both.incoming.view(place, 3)
    array = np.frombuffer(view, np.uint8)
    assert bytes(view) == b"abc"
    array[0] = ord("x")
    assert bytes(both.incoming.view(place, 3)) == b"xbc"
    assert place % 64 == 0


def test_a_slot_is_free_once_nothing_looks_at_it(both: Both) -> None:
    first = both.put(b"a" * 100)
    array = np.frombuffer(both.incoming.view(first, 100), np.uint8).reshape(10, 10)
    part = array[3:]
    del array
    second = both.put(b"b" * 100)
    assert second != first
    assert (part == ord("a")).all()
    del part
    assert both.put(b"c") == first


def test_a_view_of_a_view_does_not_free_what_others_look_at(both: Both) -> None:
    place = both.put(b"a" * 100)
    array = np.frombuffer(both.incoming.view(place, 100), np.uint8)
    for _ in range(3):
        _ = array[10:].view(np.int8)
    assert both.put(b"b") != place
    assert array[0] == ord("a")


def test_what_does_not_fit_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena, "_SIZE", 16 * arena._PAGE)
    made = Both()
    assert made.outgoing.put(bytes(17 * arena._PAGE)) is None
    first = made.put(bytes(10 * arena._PAGE))
    assert made.outgoing.put(bytes(10 * arena._PAGE)) is None
    made.outgoing.give_back([first])
    assert made.put(bytes(10 * arena._PAGE)) == first
    os.close(made.descriptor)


def test_a_receiver_that_keeps_too_much_gets_no_more(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena, "_MOST", 3)
    kept = [both.incoming.view(both.put(b"a"), 1) for _ in range(3)]
    assert both.outgoing.put(b"b") is None
    kept.pop(1)
    assert both.outgoing.put(b"b") is not None


def test_pages_that_nobody_needs_go_back_to_the_kernel(both: Both) -> None:
    places = [both.put(bytes(20 * MIB)) for _ in range(3)]
    assert both.resident > 60 * MIB
    for place in places:
        both.incoming.view(place, 20 * MIB)
    both.put(b"a")
    assert both.resident < 33 * MIB
    large = both.put(bytes(40 * MIB))
    assert both.resident > 40 * MIB
    # Without anybody's next message.
    both.incoming.view(large, 40 * MIB)
    assert both.resident < 33 * MIB


def test_an_array_that_was_here_at_a_fork_is_never_written_over(both: Both) -> None:
    place = both.put(b"before" * 100)
    array = np.frombuffer(both.incoming.view(place, 600), np.uint8)
    child = os.fork()
    if not child:
        # What the other process does with its own is no word of this one's.
        del array
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    del array
    assert both.put(b"after") != place
    assert bytes(both.incoming.view(place, 6)) == b"before"


@pytest.mark.parametrize(("place", "size"), [(0, 1), (64, -1), (2**40, 1), (2**30 - 1, 2)])
def test_there_is_nothing_outside_of_it(place: int, size: int, both: Both) -> None:
    with pytest.raises(ValueError, match=f"no slot of {size} bytes is at {place}"):
        both.incoming.view(place, size)


def test_nobody_can_cut_it_off(both: Both) -> None:
    with pytest.raises(PermissionError):
        os.ftruncate(both.descriptor, 0)


def test_what_is_offered_is_read_by_the_other_end() -> None:
    with offered() as (mine, descriptors):
        theirs = Arenas.of(descriptors)
    assert mine.outgoing
    assert theirs.incoming
    place = mine.outgoing.put(b"there")
    assert place is not None
    assert bytes(theirs.incoming.view(place, 5)) == b"there"


def test_a_system_that_grants_none_is_offered_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError("no memfd here")

    monkeypatch.setattr(os, "memfd_create", refuse)
    with offered() as (mine, descriptors):
        assert (mine, descriptors) == (Arenas(), ())
    assert Arenas.of(()) == Arenas()
