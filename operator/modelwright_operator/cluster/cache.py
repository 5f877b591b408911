"""What the API server holds, as far as the watches have told.

One entry per object, filed under the InferenceService that it belongs to. Answers to the operator's own
writes are put in as well, so that the next pass does not act on what it has just changed; whichever version
is newer stays.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from modelwright_operator.cluster.resources import OWNER_LABEL
from modelwright_operator.cluster.trim import shapes_storage, trim


class Key(NamedTuple):
    """An InferenceService's namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class ObjectId(NamedTuple):
    """An object's kind and name within its InferenceService's namespace."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One object: its resource version as a number (newer is greater) and its trimmed JSON text, deflated."""

    version: int
    packed: bytes

    def load(self) -> dict[str, Any]:
        """Return the object."""
        loaded: dict[str, Any] = json.loads(zlib.decompress(self.packed))
        return loaded


@dataclass(slots=True)
class _Group:
    """All that is filed under one key."""

    service: Entry | None = None
    objects: dict[ObjectId, Entry] = field(default_factory=dict)


class Cache:
    """The watch cache of one kind of owner.

    Args:
        label: the one on its children and pods whose value is the owner's name.
    """

    def __init__(self, label: str = OWNER_LABEL) -> None:
        self._label = label
        self._groups: dict[Key, _Group] = {}
        self._filed: dict[tuple[str, ObjectId], Key] = {}
        self._accounts: dict[Key, Entry] = {}

    # InferenceServices

    def put_service(self, obj: Mapping[str, Any]) -> bool:
        """File an InferenceService; return whether anything that matters is new."""
        key = Key(obj["metadata"]["namespace"], obj["metadata"]["name"])
        group = self._groups.setdefault(key, _Group())
        entry = _entry(obj)
        changed = _supersedes(entry, group.service)
        if group.service is None or entry.version > group.service.version:
            group.service = entry
        return changed

    def put_written(self, written: Mapping[str, Any], read: Mapping[str, Any]) -> None:
        """File the answer to a write of an InferenceService's status, made after it was ``read`` here.

        Not one that brings more than the status: somebody has written in between, and were that filed already when
        the watch tells of it, nobody would be woken for it.
        """
        if _but_status(json.loads(trim(written))) == _but_status(read):
            self.put_service(written)

    def drop_service(self, key: Key, version: int | None = None) -> None:
        """Forget an InferenceService, unless a newer one of the same name has come since."""
        group = self._groups.get(key)
        if group is None or (version and group.service and group.service.version > version):
            return
        group.service = None
        self._tidy(key)

    def service(self, key: Key) -> dict[str, Any] | None:
        """Return an InferenceService or None."""
        group = self._groups.get(key)
        return group.service.load() if group and group.service else None

    def services(self, namespace: str | None = None) -> list[Key]:
        """Return the keys of all InferenceServices, or of those in one namespace."""
        return [
            key
            for key, group in self._groups.items()
            if group.service is not None and namespace in (None, key.namespace)
        ]

    # Children and pods

    def put(self, obj: Mapping[str, Any]) -> set[Key]:
        """File a child or pod under its label; return the keys for which something that matters is new."""
        metadata = obj["metadata"]
        oid = ObjectId(obj["kind"], metadata["name"])
        key = Key(metadata["namespace"], (metadata.get("labels") or {}).get(self._label, ""))
        moved = self._filed.get((key.namespace, oid))
        changed: set[Key] = set()
        if moved is not None and moved != key:
            changed |= self.drop(key.namespace, oid)
        objects = self._groups.setdefault(key, _Group()).objects
        entry, known = _entry(obj), objects.get(oid)
        if _supersedes(entry, known):
            changed.add(key)
        if known is None or entry.version > known.version:
            objects[oid] = entry
            self._filed[key.namespace, oid] = key
        return changed

    def drop(self, namespace: str, oid: ObjectId, version: int | None = None) -> set[Key]:
        """Forget an object that is gone (in ``version``); return the key it was filed under."""
        key = self._filed.get((namespace, oid))
        if key is None:
            return set()
        objects = self._groups[key].objects
        if version is not None and objects[oid].version > version:
            return set()
        del self._filed[namespace, oid]
        del objects[oid]
        self._tidy(key)
        return {key}

    def known(self, kind: str, namespace: str | None) -> Iterator[tuple[str, ObjectId, int]]:
        """Yield namespace, id and version of every object of a kind; a relist finds the vanished ones with it."""
        for (where, oid), key in list(self._filed.items()):
            if oid.kind == kind and namespace in (None, where):
                yield where, oid, self._groups[key].objects[oid].version

    def objects(self, key: Key) -> dict[ObjectId, dict[str, Any]]:
        """Return children and pods of an InferenceService."""
        group = self._groups.get(key)
        return {oid: entry.load() for oid, entry in group.objects.items()} if group else {}

    # ServiceAccounts

    def put_account(self, obj: Mapping[str, Any]) -> bool:
        """File a ServiceAccount if storage depends on it; return whether anything that matters is new."""
        key = Key(obj["metadata"]["namespace"], obj["metadata"]["name"])
        if not shapes_storage(obj):
            return self._accounts.pop(key, None) is not None
        entry, known = _entry(obj), self._accounts.get(key)
        self._accounts[key] = entry
        return _supersedes(entry, known)

    def drop_account(self, key: Key) -> bool:
        """Forget a ServiceAccount; return whether it was known."""
        return self._accounts.pop(key, None) is not None

    def account(self, namespace: str, name: str) -> dict[str, Any] | None:
        """Return a ServiceAccount that storage depends on, or None."""
        entry = self._accounts.get(Key(namespace, name))
        return entry.load() if entry else None

    def accounts(self, namespace: str | None) -> Iterable[Key]:
        """Return the keys of the filed ServiceAccounts."""
        return [key for key in self._accounts if namespace in (None, key.namespace)]

    def _tidy(self, key: Key) -> None:
        group = self._groups[key]
        if group.service is None and not group.objects:
            del self._groups[key]


def _but_status(obj: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in obj.items() if key != "status"}


def _entry(obj: Mapping[str, Any]) -> Entry:
    return Entry(version=int(obj["metadata"]["resourceVersion"]), packed=zlib.compress(trim(obj).encode(), level=1))


def _supersedes(entry: Entry, known: Entry | None) -> bool:
    return known is None or (entry.version > known.version and entry.packed != known.packed)
