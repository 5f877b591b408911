"""Objects in a bucket, whatever the cloud: listing, reading by ranges, and what their errors mean."""

import re
from collections.abc import Generator, Sequence
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from modelwright.weights.errors import InterruptedTransferError, WeightsError
from modelwright.weights.partial import Partial
from modelwright.weights.progress import Progress
from modelwright.weights.refusals import explain, passing
from modelwright.weights.source import Item
from modelwright.weights.transfer import Transfer

# obstore raises the built-in FileNotFoundError for what is not there, ValueError for unsafe paths.
_REFUSALS = (BaseError, FileNotFoundError, ValueError)
_CHUNK = 1024 * 1024
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}[A-Za-z0-9]")


def split(uri: str) -> tuple[str, str]:
    """Return bucket and key of `scheme://bucket/key`. Raises `WeightsError` without a usable bucket."""
    bucket, _, key = uri.partition("://")[2].partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise WeightsError(
            uri, f"{bucket!r} is not a bucket's name", "Write scheme://bucket/prefix/ or scheme://bucket/key."
        )
    return bucket, key


class ObjectSource:
    """A bucket's objects below a key: `store` is obstore's client for that bucket.

    A key that is an object is fetched under its base name; otherwise every object below `key/` is, by its
    path relative to it, as KServe does. Unlike KServe, `models/a` never takes in `models/ab`, and zero-byte
    objects are kept: only directory markers are left out.
    """

    unpacks = True

    def __init__(self, uri: str, store: ObjectStore, key: str, *, workers: int, attempts: int) -> None:
        self.uri = uri
        self._store = store
        self._key = key
        self._workers = workers
        self._attempts = attempts

    def items(self) -> list[Item]:
        """List the objects. Raises `WeightsError`, also where there are none."""
        try:
            single = None if not self._key or self._key.endswith("/") else self._head(self._key)
            found = [single] if single else self._below(self._key.strip("/"))
        except _REFUSALS as error:
            raise self._refused(error) from error
        if not found:
            place = f"under the prefix {self._key!r}" if self._key else "in the bucket"
            raise WeightsError(
                self.uri,
                f"there is no object {place}",
                "Check the spelling (keys are case-sensitive) and that the upload is over.",
            )
        return found

    def download(self, items: Sequence[Item], partial: Partial, progress: Progress) -> None:
        """Fetch the objects in parallel parts."""
        transfer = Transfer(self.uri, self._read, workers=self._workers, attempts=self._attempts)
        transfer.run(items, partial, progress)

    def _head(self, key: str) -> Item | None:
        """Return the object `key`; None where the store refuses: an answer to HEAD has no body that says why."""
        try:
            meta = obstore.head(self._store, key)
        except FileNotFoundError:
            return None
        except BaseError as error:
            if passing(error):
                raise
            return None
        return Item(key, key.rsplit("/", 1)[-1], meta["size"], meta["e_tag"])

    def _below(self, prefix: str) -> list[Item]:
        found = []
        for batch in obstore.list(self._store, prefix or None):
            for meta in batch:
                key = meta["path"]
                name = key[len(prefix) :].lstrip("/") if prefix else key
                if name and (meta["size"] or self._is_object(key)):
                    found.append(Item(key, name, meta["size"], meta["e_tag"]))
        return found

    def _is_object(self, key: str) -> bool:
        """Tell a zero-byte object from a directory marker: obstore lists `a/` as `a`, which is not there."""
        try:
            obstore.head(self._store, key)
        except FileNotFoundError:
            return False
        return True

    def _read(self, item: Item, start: int, stop: int | None) -> Generator[bytes, None, None]:
        options: dict[str, Any] = {"if_match": item.etag} if item.etag else {}
        if stop is not None and (start > 0 or stop != item.size):
            options["range"] = (start, stop)
        try:
            result = obstore.get(self._store, item.key, options=options)  # type: ignore[arg-type]
            yield from result.stream(min_chunk_size=_CHUNK)
        except _REFUSALS as error:
            if passing(error):
                raise InterruptedTransferError(str(self._refused(error).reason)) from error
            raise self._refused(error, item.key) from error

    def _refused(self, error: Exception, key: str | None = None) -> WeightsError:
        reason, remedy = explain(error, self.uri.partition("://")[2].partition("/")[0])
        return WeightsError(self.uri, f"{key!r}: {reason}" if key else reason, remedy)
