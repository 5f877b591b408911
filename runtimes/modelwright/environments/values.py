"""Plain values and arrays as bytes, and back: what processes of two Pythons say to each other.

A tag a value, lengths before contents, little-endian; nothing is looked up by name and nothing is executed. Arrays keep
their dtype, their bytes are neither copied on the way out nor on the way in, and begin at a multiple of 16. Large ones
lie in an arena, where both processes have one, and the value says where.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

from modelwright.scale import arena
from modelwright.scale.arena import Incoming, Outgoing

# numpy's kinds that are plain numbers.
_NUMBERS: Final = "biuf"
_ALIGNED: Final = 16
# More than any value that a model is asked with; what is nested deeper is refused, not recursed into.
_DEEPEST: Final = 100
_INT64: Final = range(-(2**63), 2**63)
_U32: Final = struct.Struct("<I")
_U64: Final = struct.Struct("<Q")
_I64: Final = struct.Struct("<q")
_F64: Final = struct.Struct("<d")

Parts = list[bytes | memoryview]
Buffer = bytes | bytearray | memoryview


class Unreadable(Exception):
    """Bytes that are no value, or a value that has no bytes; the message says which."""


def encode(value: object, outgoing: Outgoing | None = None) -> Parts:
    """Give a value as pieces to be sent one after the other, its large arrays in `outgoing` where that has room.

    It is made of None, booleans, numbers, text, bytes, lists, mappings and arrays.

    Raises:
        Unreadable: it holds something else, named by its type.

    """
    writer = _Writer(outgoing)
    try:
        writer.write(value, 0)
    except BaseException:
        writer.give_up()
        raise
    return writer.finish()


def decode(content: Buffer, incoming: Incoming | None = None) -> Any:  # noqa: ANN401 - whatever was encoded
    """Give the value; arrays are views of `content` or of `incoming`, read-only ones.

    Raises:
        Unreadable: `content` is no value.

    """
    reader = _Reader(content, incoming)
    try:
        value = reader.read(0)
    except (struct.error, IndexError, ValueError, TypeError) as error:
        raise Unreadable(f"not a value: {error}") from error
    if reader.at != len(content):
        raise Unreadable(f"{len(content) - reader.at} bytes too many after a value")
    return value


class _Writer:
    def __init__(self, outgoing: Outgoing | None) -> None:
        self._outgoing = outgoing
        self._places: list[int] = []
        self._parts: Parts = []
        self._open = bytearray()
        self._length = 0

    def give_up(self) -> None:
        """Free what lies in the arena: nobody is told of it."""
        if self._outgoing is not None:
            self._outgoing.give_back(self._places)

    def finish(self) -> Parts:
        self._close()
        return self._parts

    def write(self, value: Any, depth: int) -> None:  # noqa: ANN401, C901 - one branch a type
        out = self._open
        if value is None:
            out += b"N"
        elif value is True or value is False:
            out += b"T" if value else b"F"
        elif type(value) is str:
            self._sized(b"s", value.encode("utf-8", "surrogatepass"))
        elif type(value) is int:
            if value in _INT64:
                out += b"i" + _I64.pack(value)
            else:
                self._sized(b"I", str(value).encode())
        elif type(value) is float:
            out += b"d" + _F64.pack(value)
        elif isinstance(value, bytes | bytearray | memoryview):
            self._sized(b"b", bytes(value))
        elif isinstance(value, list | tuple):
            self._list(value, depth)
        elif isinstance(value, Mapping):
            self._mapping(value, depth)
        elif isinstance(value, str | int | float):
            # Subclasses, such as enumerations.
            base = next(kind for kind in (str, int, float) if isinstance(value, kind))
            self.write(base(value), depth)
        else:
            self._array(value, depth)

    def _list(self, value: list[Any] | tuple[Any, ...], depth: int) -> None:
        self._open += b"l" + _U32.pack(len(value))
        _check_depth(depth)
        for each in value:
            self.write(each, depth + 1)

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> None:
        self._open += b"m" + _U32.pack(len(value))
        _check_depth(depth)
        for key, each in value.items():
            self.write(str(key), depth + 1)
            self.write(each, depth + 1)

    def _array(self, value: Any, depth: int) -> None:  # noqa: ANN401
        # Whoever sends no arrays does without numpy.
        import numpy as np  # noqa: PLC0415

        if isinstance(value, np.generic):
            self.write(value.item(), depth)
            return
        if not isinstance(value, np.ndarray):
            raise Unreadable(
                f"a value of type {type(value).__name__} cannot leave its process; use lists, text or arrays"
            )
        if value.dtype.kind in _NUMBERS:
            little = value.astype(value.dtype.newbyteorder("<"), copy=False)
            flat: Any = np.ascontiguousarray(little).reshape(-1).view(np.uint8)
            place = self._placed(memoryview(flat))
            self._open += b"a" if place is None else b"A"
            self._sized(b"s", little.dtype.str.encode())
            self.write(list(value.shape), depth)
            if place is None:
                self._raw(memoryview(flat))
            else:
                self._open += _U64.pack(place) + _U64.pack(len(flat))
        elif value.dtype.kind in "OSU":
            self._open += b"o"
            self.write(list(value.shape), depth)
            items = [_item(each) for each in value.ravel().tolist()]
            self._sized(b"b", struct.pack(f"<{len(items)}Q", *map(len, items)))
            self._sized(b"b", b"".join(items))
        else:
            raise Unreadable(f"an array of {value.dtype} cannot leave its process; use numbers or bytes")

    def _placed(self, content: memoryview) -> int | None:
        if self._outgoing is None or len(content) < arena.SHARED:
            return None
        place = self._outgoing.put(content)
        if place is not None:
            self._places.append(place)
        return place

    def _sized(self, tag: bytes, content: bytes) -> None:
        self._open += tag + _U64.pack(len(content)) + content

    def _raw(self, content: memoryview) -> None:
        here = self._length + len(self._open) + _U64.size
        padding = -here % _ALIGNED
        self._open += _U64.pack(len(content)) + bytes(padding)
        self._close()
        if len(content):
            self._parts.append(content)
            self._length += len(content)

    def _close(self) -> None:
        if self._open:
            self._parts.append(bytes(self._open))
            self._length += len(self._open)
            # `write` holds on to the buffer that it began with.
            self._open.clear()


class _Reader:
    def __init__(self, content: Buffer, incoming: Incoming | None) -> None:
        self._incoming = incoming
        self._content = memoryview(content).toreadonly()
        self.at = 0

    def read(self, depth: int) -> Any:  # noqa: ANN401, C901, PLR0911 - one branch a type
        tag = bytes(self._content[self.at : self.at + 1])
        self.at += 1
        _check_depth(depth)
        match tag:
            case b"N":
                return None
            case b"T" | b"F":
                return tag == b"T"
            case b"i":
                return self._unpack(_I64)
            case b"d":
                return self._unpack(_F64)
            case b"s":
                return self._bytes().decode("utf-8", "surrogatepass")
            case b"I":
                return int(self._bytes())
            case b"b":
                return self._bytes()
            case b"l":
                return [self.read(depth + 1) for _ in range(self._count())]
            case b"m":
                return {self.read(depth + 1): self.read(depth + 1) for _ in range(self._count())}
            case b"a" | b"A":
                return self._numbers(depth, shared=tag == b"A")
            case b"o":
                return self._objects(depth)
        raise Unreadable(f"no value begins with {tag!r}")

    def _numbers(self, depth: int, *, shared: bool) -> Any:  # noqa: ANN401
        import numpy as np  # noqa: PLC0415

        dtype = np.dtype(self.read(depth + 1))
        if dtype.kind not in _NUMBERS:
            raise Unreadable(f"no array of {dtype} is expected")
        shape = self.read(depth + 1)
        if shared:
            return np.frombuffer(self._shared(self._unpack(_U64), self._unpack(_U64)), dtype).reshape(shape)
        size = self._unpack(_U64)
        self.at += -self.at % _ALIGNED
        return np.frombuffer(self._take(size), dtype).reshape(shape)

    def _shared(self, place: int, size: int) -> memoryview:
        if self._incoming is None:
            raise Unreadable("an array in an arena that is not there")
        return self._incoming.view(place, size).toreadonly()

    def _objects(self, depth: int) -> Any:  # noqa: ANN401
        import numpy as np  # noqa: PLC0415

        shape = self.read(depth + 1)
        packed, content = self.read(depth + 1), self.read(depth + 1)
        lengths = struct.unpack(f"<{len(packed) // 8}Q", packed)
        flat = np.empty(len(lengths), dtype=object)
        at = 0
        for place, length in enumerate(lengths):
            flat[place] = content[at : at + length]
            at += length
        return flat.reshape(shape)

    def _count(self) -> int:
        count = int(self._unpack(_U32))
        # Each takes a byte at least: a length that cannot be is no reason to make a list of it.
        if count > len(self._content) - self.at:
            raise Unreadable(f"{count} values in {len(self._content) - self.at} bytes")
        return count

    def _bytes(self) -> bytes:
        return bytes(self._take(self._unpack(_U64)))

    def _take(self, size: int) -> memoryview:
        if size > len(self._content) - self.at:
            raise Unreadable(f"{size} bytes where {len(self._content) - self.at} are left")
        begun, self.at = self.at, self.at + size
        return self._content[begun : self.at]

    def _unpack(self, form: struct.Struct) -> Any:  # noqa: ANN401
        (value,) = form.unpack_from(self._content, self.at)
        self.at += form.size
        return value


def _item(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    raise Unreadable(f"an array element of type {type(value).__name__} cannot leave its process; use text or bytes")


def _check_depth(depth: int) -> None:
    if depth > _DEEPEST:
        raise Unreadable(f"a value nested more than {_DEEPEST} deep")
