"""One leader among several operators, by a coordination.k8s.io Lease.

The holder renews; the others watch the record and take over when it has not changed for its own duration,
measured on their own clock (as client-go does), so clocks need not agree. A holder that cannot renew in time
stops working by itself before anybody may take over: `renew_within` is shorter than `duration`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from modelwright_operator.cluster import errors
from modelwright_operator.cluster.cache import Key
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.resources import LEASE

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Seconds: an unrenewed lease may be taken after ``duration``, its holder stops after ``renew_within``."""

    duration: float = 15.0
    renew_within: float = 10.0
    every: float = 2.0
    """Between tries."""


class LeaderLease:
    """Holds, or waits for, the Lease of this name.

    Args:
        client: with get, create and update on leases in ``namespace``.
        lease: namespace and name of the Lease.
        identity: this process; unique among the candidates.
        leading: set while this process may write, cleared when it may not.
        clock: monotonic seconds.
        times: how long the lease lasts.
    """

    def __init__(
        self,
        client: Client,
        *,
        lease: Key,
        identity: str,
        leading: asyncio.Event,
        clock: Callable[[], float],
        times: LeaseTimes | None = None,
    ) -> None:
        self._client, self._namespace, self._name = client, lease.namespace, lease.name
        self._identity, self._leading, self._clock = identity, leading, clock
        self._times = times or LeaseTimes()
        self._record: tuple[Any, Any] | None = None
        self._seen_at = 0.0
        self._renewed_at = 0.0

    async def run(self) -> None:
        """Try for the lease until cancelled, then give it up so that a standby need not wait."""
        try:
            while True:
                await self._round()
                await asyncio.sleep(self._times.every)
        finally:
            if self._leading.is_set():
                self._leading.clear()
                await asyncio.shield(self._release())

    async def _round(self) -> None:
        started = self._clock()
        try:
            async with asyncio.timeout(self._times.renew_within / 2):
                held = await self._try()
        except (errors.ApiError, aiohttp.ClientError, OSError) as error:
            logger.warning("lease %s/%s: %s", self._namespace, self._name, error or type(error).__name__)
            held = self._leading.is_set() and self._clock() - self._renewed_at < self._times.renew_within
        else:
            if held:
                self._renewed_at = started
        if held and not self._leading.is_set():
            logger.info("leading as %s", self._identity)
            self._leading.set()
        elif not held and self._leading.is_set():
            logger.warning("no longer leading")
            self._leading.clear()

    async def _try(self) -> bool:
        """Take or renew the lease where that is allowed; return whether it is held now."""
        try:
            lease = await self._client.get(LEASE, self._namespace, self._name)
        except errors.NotFound:
            await self._client.create(LEASE, self._namespace, self._manifest({}))
            return True
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity")
        record = (holder, spec.get("renewTime"))
        if record != self._record:
            self._record, self._seen_at = record, self._clock()
        expired = self._clock() - self._seen_at >= float(spec.get("leaseDurationSeconds") or self._times.duration)
        if holder and holder != self._identity and not expired:
            return False
        try:
            await self._client.replace(LEASE, self._namespace, self._name, self._manifest(lease))
        except errors.Conflict:
            return False
        return True

    def _manifest(self, lease: dict[str, Any], *, holder: str | None = None) -> dict[str, Any]:
        spec = lease.get("spec") or {}
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        taken = spec.get("holderIdentity") != self._identity
        metadata = lease.get("metadata") or {"name": self._name, "namespace": self._namespace}
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": metadata,
            "spec": {
                "holderIdentity": self._identity if holder is None else holder,
                "leaseDurationSeconds": max(1, int(self._times.duration)),
                "acquireTime": now if taken else spec.get("acquireTime", now),
                "renewTime": now,
                "leaseTransitions": int(spec.get("leaseTransitions") or 0) + int(taken and bool(spec)),
            },
        }

    async def _release(self) -> None:
        try:
            lease = await self._client.get(LEASE, self._namespace, self._name)
            if (lease.get("spec") or {}).get("holderIdentity") == self._identity:
                await self._client.replace(LEASE, self._namespace, self._name, self._manifest(lease, holder=""))
        except (errors.ApiError, aiohttp.ClientError, OSError) as error:
            logger.warning("lease %s/%s: not released: %s", self._namespace, self._name, error)
