"""A thin asyncio client for the Kubernetes API.

The verbs that the operator uses and no others, on aiohttp, which kopf brings anyway. `tests/bench/client.py`
compares it with ``kubernetes.aio``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from modelwright_operator.cluster import errors
from modelwright_operator.cluster.login import Login
from modelwright_operator.cluster.ownership import FIELD_MANAGER
from modelwright_operator.cluster.resources import Resource

PAGE_SIZE = 50
"""Objects per page of a list: bounds what a start in a large cluster holds in memory at once."""

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)
_MUST_NOT_EXIST = "1"
"""A resource version that no object has: an apply that carries it creates, or conflicts with whatever is there."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list and the resource version from which a watch may go on."""

    items: list[dict[str, Any]]
    resource_version: str


@dataclass(frozen=True, slots=True)
class _Target:
    """What a request is about; its text is for error messages."""

    resource: Resource
    namespace: str | None
    name: str | None = None
    subresource: str | None = None

    @property
    def path(self) -> str:
        return self.resource.path(self.namespace, self.name, self.subresource)

    def __str__(self) -> str:
        label = f"{self.resource.label}/{self.subresource}" if self.subresource else self.resource.label
        named = f"{label} {self.name}" if self.name else label
        return f"{named} in {self.namespace or 'all namespaces'}"


class Client:
    """Requests as one identity. Use as an async context manager.

    Every method raises an `errors.ApiError` subclass for what the server refuses, ``aiohttp.ClientError`` or
    ``TimeoutError`` for what never got an answer.
    """

    def __init__(self, login: Login, *, connections: int = 16) -> None:
        self._login = login
        self._connections = connections
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        tls = self._login.ssl_context()
        connector = aiohttp.TCPConnector(limit=self._connections, ssl=tls if tls is not None else True)
        self._http = aiohttp.ClientSession(
            base_url=self._login.server,
            connector=connector,
            headers={"User-Agent": FIELD_MANAGER, "Accept": "application/json"},
            timeout=_REQUEST_TIMEOUT,
            auto_decompress=True,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def get(self, resource: Resource, namespace: str | None, name: str) -> dict[str, Any]:
        """Return one object."""
        return await self._json("GET", "get", _Target(resource, namespace, name))

    async def create(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object under its own or a generated name."""
        return await self._json("POST", "create", _Target(resource, namespace), body=body)

    async def replace(self, resource: Resource, namespace: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace an object; its resource version is the precondition."""
        return await self._json("PUT", "update", _Target(resource, namespace, name), body=body)

    async def apply(
        self, resource: Resource, manifest: Mapping[str, Any], *, uid: str | None, manager: str = FIELD_MANAGER
    ) -> dict[str, Any]:
        """Server-side apply one manifest, taking over fields that others set.

        Args:
            resource: the manifest's kind.
            manifest: exactly the fields to own.
            uid: of the object that is meant. None says that none of this name may exist yet: one that does is
                left as it is, without a request of its own to find out.
            manager: who is to own the fields.

        Raises:
            errors.Conflict: the object is another than the one meant.
        """
        meant = {"uid": uid} if uid else {"resourceVersion": _MUST_NOT_EXIST}
        metadata = manifest["metadata"]
        body = {**manifest, "metadata": {**metadata, **meant}}
        try:
            return await self._json(
                "PATCH", "patch", _Target(resource, metadata["namespace"], metadata["name"]), body=body, content=_APPLY,
                query={"fieldManager": manager, "force": "true"},
            )  # fmt: skip
        except errors.Invalid as error:
            if error.names_field("metadata.uid"):
                raise errors.Conflict(str(error), code=409, details=error.details) from error
            raise

    async def patch_status(
        self, resource: Resource, namespace: str, name: str, patch: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Merge-patch the status subresource and return the whole object."""
        return await self._json(
            "PATCH", "patch", _Target(resource, namespace, name, "status"), body=patch, content=_MERGE,
            query={"fieldManager": FIELD_MANAGER},
        )  # fmt: skip

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        """Delete the object with this uid, and what it owns, in the background. One already gone is no error."""
        body = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        try:
            await self._json("DELETE", "delete", _Target(resource, namespace, name), body=body)
        except errors.NotFound:
            return

    async def list(
        self, resource: Resource, namespace: str | None, *, selector: str | None = None, fields: str | None = None
    ) -> AsyncIterator[Page]:
        """Yield the pages of a list, of the objects that label and field selector match."""
        query = {"limit": str(PAGE_SIZE)}
        if selector:
            query["labelSelector"] = selector
        if fields:
            query["fieldSelector"] = fields
        while True:
            answer = await self._json("GET", "list", _Target(resource, namespace), query=query)
            metadata = answer["metadata"]
            for item in answer["items"]:
                item["apiVersion"], item["kind"] = resource.api_version, resource.kind
            yield Page(items=answer["items"], resource_version=metadata["resourceVersion"])
            if not metadata.get("continue"):
                return
            query["continue"] = metadata["continue"]

    async def watch(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        since: str,
        selector: str | None = None,
        lasts: int,
        silence: float,
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield watch events, bookmarks included, until the server ends the watch.

        Args:
            resource: the kind.
            namespace: None for all.
            since: the resource version after which events are wanted.
            selector: label selector, evaluated by the server.
            lasts: seconds after which the server ends the watch.
            silence: seconds without a byte after which the connection counts as dead (bookmarks come each
            minute).

        Raises:
            errors.Gone: ``since`` is too old.
            TimeoutError: after ``silence``.
        """
        query = {
            "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": since, "timeoutSeconds": str(lasts),
        }  # fmt: skip
        if selector:
            query["labelSelector"] = selector
        target = _Target(resource, namespace)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=silence)
        request = self._session.get(target.path, params=query, headers=self._authorization(), timeout=timeout)
        async with request as response:
            if response.status >= 400:
                raise errors.from_status(response.status, await _body(response), verb="watch", what=str(target))
            async for line in _lines(response.content):
                event: dict[str, Any] = json.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise errors.from_status(int(status.get("code", 500)), status, verb="watch", what=str(target))
                yield event

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise RuntimeError("the client is used outside of its async context")
        return self._http

    def _authorization(self) -> dict[str, str]:
        token = self._login.bearer()
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def _json(
        self,
        method: str,
        verb: str,
        target: _Target,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content: str = "application/json",
    ) -> dict[str, Any]:
        headers = self._authorization()
        data = None
        if body is not None:
            data = json.dumps(body, separators=(",", ":")).encode()
            headers["Content-Type"] = content
        async with self._session.request(method, target.path, params=query, data=data, headers=headers) as response:
            answer = await _body(response)
            if response.status >= 400 or not isinstance(answer, dict):
                raise errors.from_status(response.status, answer, verb=verb, what=str(target))
            return answer


async def _body(response: aiohttp.ClientResponse) -> object:
    """Return the answer's JSON, or its text where something other than the API server answered."""
    raw = await response.read()
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace").strip()


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Split a stream into lines of any length; aiohttp's own readline refuses those over its buffer's limit."""
    pending = b""
    async for chunk in stream.iter_any():
        *whole, rest = chunk.split(b"\n")
        if whole:
            whole[0] = pending + whole[0]
            pending = rest
            for line in whole:
                if line:
                    yield line
        else:
            pending += rest
