"""What a URI stands for: a list of items, each a file to be, and a way to fetch them."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from modelwright.weights.partial import Partial
from modelwright.weights.progress import Progress


@dataclass(frozen=True, slots=True)
class Item:
    """One file at the source.

    `key` is its name there, `name` its path below the target with `/` between segments (not yet checked),
    `size` in bytes (None where the server does not say), `etag` what identifies its content (None: unknown),
    `ranges` whether parts of it can be asked for, `sha256` its hex digest where the source states it.
    """

    key: str
    name: str
    size: int | None
    etag: str | None
    ranges: bool = True
    sha256: str | None = None


class Source(Protocol):
    """One URI, opened. Raises `WeightsError` from both methods."""

    uri: str
    unpacks: bool
    """Whether a single archive is to be unpacked, as KServe does for every scheme but hf."""

    def items(self) -> list[Item]:
        """List what is there, without fetching it. Never empty."""

    def download(self, items: Sequence[Item], partial: Partial, progress: Progress) -> None:
        """Fetch `items` into `partial.files`, continuing what an earlier run has left there."""


class Reader(Protocol):
    """Reads bytes `start` to `stop` (exclusive; None is the end) of an item.

    Raises `InterruptedTransferError` where another attempt may help, `WeightsError` where none will.
    """

    def __call__(self, item: Item, start: int, stop: int | None) -> Generator[bytes, None, None]:
        """Yield the bytes in chunks of at most a few MiB."""
