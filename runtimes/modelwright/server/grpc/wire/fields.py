"""Header blocks: a client's decoded with their state, ours encoded without one. Source: RFC 7541."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hpack import Decoder, HPACKError, OversizedHeaderListError
from hpack.table import HeaderTable

from modelwright.server.grpc.wire.frames import COMPRESSION_ERROR, ENHANCE_YOUR_CALM, ConnectionFailed
from modelwright.server.grpc.wire.head import Field, Head
from modelwright.server.grpc.wire.settings import HEADER_LIST

# Lists up to twice the limit are read, so that their calls can be refused in words.
LONGEST_BLOCK: Final = 2 * HEADER_LIST
# Blocks that are remembered, and how long one may be.
_KEPT: Final = 64
_LONGEST_KEPT: Final = 1024


class _Table(HeaderTable):
    """A dynamic table that counts its changes."""

    def __init__(self) -> None:
        super().__init__()
        self.changes = 0

    def add(self, name: bytes, value: bytes) -> None:
        """Add an entry."""
        self.changes += 1
        super().add(name, value)

    def _shrink(self) -> None:
        self.changes += 1
        super()._shrink()


class HeaderBlocks:
    """One connection's header blocks, in the order in which they come.

    A client that calls one method again and again sends the same few bytes each time. What a block means depends on
    the dynamic table alone, so a block that has left the table as it was means the same until another changes it.
    """

    def __init__(self) -> None:
        self._decoder = Decoder(LONGEST_BLOCK)
        self._table = self._decoder.header_table = _Table()
        self._known: dict[bytes, Head] = {}

    def head(self, block: bytes) -> Head:
        """Give what a block says when it opens a stream.

        Raises:
            ConnectionFailed: it is no header block, which leaves the state of all that follow unknown.

        """
        known = self._known.get(block)
        if known is not None:
            return known
        before = self._table.changes, self._table.maxsize
        head = Head(self.fields(block))
        if before == (self._table.changes, self._table.maxsize) and len(block) <= _LONGEST_KEPT:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[block] = head
        return head

    def fields(self, block: bytes) -> list[Field]:
        """Give a block's fields.

        Raises:
            ConnectionFailed: see `head`.

        """
        before = self._table.changes, self._table.maxsize
        try:
            fields = [(bytes(name), bytes(value)) for name, value in self._decoder.decode(block, raw=True)]
        except OversizedHeaderListError:
            raise ConnectionFailed(ENHANCE_YOUR_CALM, "a header list is far too long") from None
        except (HPACKError, IndexError):
            raise ConnectionFailed(COMPRESSION_ERROR, "a header block cannot be decoded") from None
        if before != (self._table.changes, self._table.maxsize):
            self._known.clear()
        return fields


def encoded(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Encode fields as literals that need no table, and so no state on either side."""
    parts: list[bytes] = []
    for name, value in pairs:
        key, text = name.encode("ascii"), value.encode("ascii")
        parts += (b"\0", _length(len(key)), key, _length(len(text)), text)
    return b"".join(parts)


def _length(size: int) -> bytes:
    """Encode a length with a prefix of 7 bits and no Huffman code (section 5.1)."""
    if size < 127:
        return bytes((size,))
    rest, encoded_rest = size - 127, bytearray((127,))
    while rest > 127:
        encoded_rest.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded_rest.append(rest)
    return bytes(encoded_rest)
