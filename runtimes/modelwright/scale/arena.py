"""Memory that two processes share: what the sender has written into its arena, the receiver reads where it lies.

An arena is a memfd, which has no name and lies in no folder: the kernel frees it with the last process that has it,
however that ends. It is sparse, so that its size costs nothing, and its pages stay, so that they are not zeroed and
faulted in for each message, as those of a memfd of each message's own are.

A slot begins with a word that the sender clears when it fills the slot, and the receiver sets once nothing there looks
at its contents any more. So nobody has to be told, and a receiver that keeps an array keeps its slot. A full arena
takes nothing: what it does not take goes through the socket.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

Buffer = bytes | bytearray | memoryview
# Bytes; below, a copy through the socket costs no more than a slot does. See tests/bench/styles/frames.py.
SHARED: Final = 64 * 1024
_SIZE: Final = 1024**3
_PAGE: Final = mmap.PAGESIZE
# What every numpy type, and what reads with wide registers, is aligned at; the slot's word lies before.
_HEAD: Final = 64
# Slots that a receiver may keep: to look through more would cost what a copy does.
_MOST: Final = 256
# Bytes of pages that an arena keeps once nothing is in it, and of a slot whose pages go with it.
_WARM: Final = 32 * 1024**2
_FREE: Final = b"\x01"
# Counts forks of this process and of those before it. An array that was here at a fork is two processes' from then on,
# neither of which knows when the other has done with it: its slot is never free again.
_forks = 0


def _forked() -> None:
    global _forks  # noqa: PLW0603 - there is one process
    _forks += 1


os.register_at_fork(after_in_child=_forked, after_in_parent=_forked)


def create() -> int:
    """Make an arena's memory; give its descriptor. Raises OSError where there is none to be had."""
    descriptor = os.memfd_create("modelwright", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, _SIZE)
        # A mapping of what another process has cut off would be the end of this one.
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


class Outgoing:
    """The sender's side of an arena; used by one thread at a time, in the process that made it."""

    def __init__(self, descriptor: int) -> None:
        """Map an arena; the descriptor stays the caller's. Raises OSError where that cannot be."""
        self._map = mmap.mmap(descriptor, os.fstat(descriptor).st_size)
        self._bytes = _numbers(self._map)
        # Where slots begin and end that have been filled, in order.
        self._taken: list[tuple[int, int]] = []
        self._high = 0

    def put(self, buffer: Buffer) -> int | None:
        """Copy a buffer into a slot; give its place, or None where there is no room."""
        size = len(buffer)
        length = -(-(size + _HEAD) // _PAGE) * _PAGE
        begin = self._room(length)
        if begin is None:
            return None
        self._map[begin] = 0
        _copy(self._bytes[begin + _HEAD : begin + _HEAD + size], buffer)
        return begin + _HEAD

    def give_back(self, places: Iterable[int]) -> None:
        """Free slots whose places nobody has been told."""
        for place in places:
            self._map[place - _HEAD] = _FREE[0]

    def _room(self, length: int) -> int | None:
        self._taken = [slot for slot in self._taken if not self._map[slot[0]]]
        if not self._taken and self._high > _WARM:
            _drop(self._map, _WARM, self._high)
            self._high = 0
        if len(self._taken) >= _MOST:
            return None
        begin = 0
        for index, (start, end) in enumerate(self._taken):
            if start - begin >= length:
                self._taken.insert(index, (begin, begin + length))
                return begin
            begin = end
        if begin + length > len(self._map):
            return None
        self._taken.append((begin, begin + length))
        self._high = max(self._high, begin + length)
        return begin


class Incoming:
    """The receiver's side."""

    def __init__(self, descriptor: int) -> None:
        """Map an arena; the descriptor stays the caller's. Raises OSError where that cannot be."""
        self._map = mmap.mmap(descriptor, os.fstat(descriptor).st_size)

    def view(self, place: int, size: int) -> memoryview:
        """Give what a slot holds, where it lies; the slot is free once nothing refers to the view any more.

        Raises:
            ValueError: there is no such slot.

        """
        if place < _HEAD or size < 0 or place + size > len(self._map):
            raise ValueError(f"no slot of {size} bytes is at {place}")
        import numpy as np  # noqa: PLC0415 - who shares nothing does without

        slot = np.frombuffer(self._map, np.uint8, size, place).view(_slot_type())
        slot.hold = (self._map, place, size, _forks)
        return memoryview(slot)


@dataclass(frozen=True, slots=True)
class Arenas:
    """One end's two: what it fills, and what the other end does."""

    outgoing: Outgoing | None = None
    incoming: Incoming | None = None

    @classmethod
    def of(cls, descriptors: Sequence[int]) -> Arenas:
        """Map what the other end has `offered`: the arena to fill, and the one to read, or neither.

        Raises:
            OSError: they cannot be mapped.

        """
        return cls(Outgoing(descriptors[0]), Incoming(descriptors[1])) if descriptors else cls()


# Of an end that shares nothing.
NO_ARENAS: Final = Arenas()


@contextlib.contextmanager
def offered() -> Iterator[tuple[Arenas, tuple[int, ...]]]:
    """Make two arenas; give this end's, and the descriptors for the other's, none where the system grants none.

    The descriptors are closed at the end.
    """
    descriptors: list[int] = []
    try:
        try:
            descriptors.append(create())
            descriptors.append(create())
            mine = Arenas.of(descriptors[::-1])
        except OSError:
            mine = NO_ARENAS
        yield mine, tuple(descriptors) if mine.outgoing else ()
    finally:
        for each in descriptors:
            os.close(each)


_slots: list[type[Any]] = []


def _slot_type() -> type[Any]:
    if not _slots:
        import numpy as np  # noqa: PLC0415 - who shares nothing does without

        class Slot(np.ndarray[Any, Any]):
            """An array that frees its slot when it goes; a view of it, whose `hold` is None, does not."""

            hold: tuple[mmap.mmap, int, int, int] | None = None

            # The function as a default: when the interpreter ends, its module's names are gone before this is.
            def __del__(self, free: Callable[..., None] = _free) -> None:
                if self.hold is not None:
                    free(*self.hold)

        _slots.append(Slot)
    return _slots[0]


def _free(shared: mmap.mmap, place: int, size: int, forks: int) -> None:
    if forks != _forks:
        return
    if size > _WARM:
        _drop(shared, place, place + size)
    shared[place - _HEAD] = _FREE[0]


def _drop(shared: mmap.mmap, begin: int, end: int) -> None:
    """Give whole pages back to the kernel, in all processes."""
    begin = -(-begin // _PAGE) * _PAGE
    with contextlib.suppress(OSError):
        shared.madvise(mmap.MADV_REMOVE, begin, -(-end // _PAGE) * _PAGE - begin)


def _numbers(shared: mmap.mmap) -> np.ndarray[Any, Any]:
    import numpy as np  # noqa: PLC0415 - who shares nothing does without

    return np.frombuffer(shared, np.uint8)


def _copy(place: np.ndarray[Any, Any], buffer: Buffer) -> None:
    import numpy as np  # noqa: PLC0415 - as above

    # Without the interpreter's lock.
    np.copyto(place, np.frombuffer(buffer, np.uint8))
