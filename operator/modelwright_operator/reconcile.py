"""One pass over one InferenceService: cache -> desired -> writes -> report.

Level-triggered: a pass looks at everything and trusts nothing that an earlier pass did, so a lost event, a
restart or somebody's edit all heal the same way. When nothing differs, a pass makes no request.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import aiohttp
from pydantic import ValidationError

from modelwright_operator import labels
from modelwright_operator.api import InferenceService
from modelwright_operator.cluster import errors
from modelwright_operator.cluster.cache import Cache, Key, ObjectId
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.drift import differences, stamp
from modelwright_operator.cluster.images import Images
from modelwright_operator.cluster.ownership import HANDOVER_MANAGER
from modelwright_operator.cluster.resources import INFERENCE_SERVICE, of_child
from modelwright_operator.cluster.secrets import SecretMetadata
from modelwright_operator.cluster.tokens import Tokens
from modelwright_operator.contest import Contest
from modelwright_operator.desired import Inputs, Problem, children, problems, ray_token
from modelwright_operator.observed import is_ready
from modelwright_operator.plan import (
    Manifest,
    Plan,
    Write,
    controller_uid,
    is_predecessors,
    leaving,
    make_plan,
)
from modelwright_operator.queue import RetryLater
from modelwright_operator.report import Reporter
from modelwright_operator.settings import Settings
from modelwright_operator.status_writer import GoneError

logger = logging.getLogger(__name__)

LEAVING_SECONDS = 1.0
"""How soon to look again at a name that a vanishing object still holds."""
TAKEN_SECONDS = 10.0
"""How soon to look again at a name that somebody else holds: an object without our label is not watched."""


@dataclass(slots=True)
class _Outcome:
    """What the writes of one pass came to."""

    live: dict[ObjectId, Manifest]
    error: str | None = None
    again: float | None = None


class Reconciler:
    """Makes children and status of InferenceServices what they should be.

    Args:
        client: the API server.
        cache: what the watches have told.
        settings: the operator's settings.
        reporter: writes the status.
        secrets: reads Secrets' annotations where that is allowed.
        images: what images by name stand for.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        client: Client,
        cache: Cache,
        settings: Settings,
        *,
        reporter: Reporter,
        secrets: SecretMetadata,
        images: Images,
        clock: Callable[[], float],
    ) -> None:
        self._client, self._cache, self._settings = client, cache, settings
        self._report, self._secrets, self._images = reporter, secrets, images
        self._tokens = Tokens(client, clock=clock)
        self._contest = Contest(clock)
        self._tolerated: dict[Key, dict[ObjectId, frozenset[str]]] = {}

    async def __call__(self, key: Key) -> float | None:
        """Do one pass; return the seconds after which another is wanted, or None.

        Raises:
            RetryLater: something could not be written; the status says so already.
        """
        raw = self._cache.service(key)
        if raw is None or leaving(raw):
            self._tolerated.pop(key, None)
            self._contest.forget(key)
            self._report.forget(key)
            self._tokens.forget(key)
            return None
        try:
            isvc, found, desired = await self._read(raw)
            live = self._cache.objects(key)
            outcome = _Outcome(live) if found else await self._converge(key, raw, isvc, desired, live)
            look_again = await self._report(key, raw, isvc, found, outcome.live, outcome.error)
        except GoneError:
            return LEAVING_SECONDS if self._cache.service(key) else None
        except (errors.ApiError, aiohttp.ClientError, OSError) as error:
            raise RetryLater(str(error) or type(error).__name__) from error
        if outcome.error and outcome.again is None:
            raise RetryLater(outcome.error)
        return min((wanted for wanted in (outcome.again, look_again) if wanted is not None), default=None)

    async def _read(self, raw: Manifest) -> tuple[InferenceService, list[Problem], list[Manifest]]:
        """Return the InferenceService, what is wrong with it, and (when nothing is) its stamped children."""
        try:
            isvc = InferenceService.model_validate(raw)
        except ValidationError as error:
            return _skeleton(raw), [_problem(detail) for detail in error.errors()], []
        inputs = await self._inputs(isvc)
        found = problems(isvc, self._settings, inputs)
        desired = [] if found else children(isvc, self._settings, inputs)
        return isvc, found, [stamp(manifest) for manifest in desired]

    async def _inputs(self, isvc: InferenceService) -> Inputs:
        account = isvc.predictor.pod_spec().get("serviceAccountName") or "default"
        secret = isvc.metadata.annotations.get(labels.STORAGE_SECRET_NAME)
        return Inputs(
            service_account=self._cache.account(isvc.namespace, account),
            secret_annotations=await self._secrets.annotations(isvc.namespace, secret) if secret else None,
            images=self._images.of(isvc),
        )

    async def _converge(
        self,
        key: Key,
        raw: Manifest,
        isvc: InferenceService,
        desired: Sequence[Manifest],
        live: dict[ObjectId, Manifest],
    ) -> _Outcome:
        uid = raw["metadata"]["uid"]
        plan = make_plan(desired, live, owner=key, uid=uid, tolerated=self._tolerated.get(key, {}))
        plan.contested = [write for write in plan.writes if write.drifted and not self._contest.admits(key, write.oid)]
        plan.writes = [write for write in plan.writes if write not in plan.contested]
        await self._confirm(key, raw, plan)
        results = await asyncio.gather(*(self._apply(key, uid, write) for write in plan.writes), return_exceptions=True)
        failures = await self._ensure_token(key, raw, isvc)
        for write, result in zip(plan.writes, results, strict=True):
            if isinstance(result, _LeavingError):
                plan.leaving.append(write.oid)
            elif isinstance(result, _TakenError):
                plan.taken.append(write.oid)
            elif errors.namespace_is_leaving(result):
                raise GoneError
            elif isinstance(result, BaseException):
                failures.append(_failure(result))
            else:
                live[write.oid] = result
        failures += await self._prune(key, plan.prune, live)
        return _outcome(key, plan, live, failures)

    async def _ensure_token(self, key: Key, raw: Manifest, isvc: InferenceService) -> list[str]:
        secret = ray_token(isvc, token_hex(32))
        if secret is None:
            return []
        try:
            await self._tokens.ensure(key, secret, settled=is_ready(raw.get("status") or {}))
        except (errors.ApiError, aiohttp.ClientError, OSError) as error:
            if errors.namespace_is_leaving(error):
                raise GoneError from None
            return [_failure(error)]
        return []

    async def _confirm(self, key: Key, raw: Manifest, plan: Plan) -> None:
        """Ask whether the InferenceService still exists before a child that it had is made again.

        A deleted InferenceService and its collected children are told by different watches, in any order.
        """
        creates = any(write.uid is None for write in plan.writes)
        seen_before = (raw.get("status") or {}).get("observedGeneration") == raw["metadata"]["generation"]
        if not (creates and seen_before):
            return
        try:
            fresh = await self._client.get(INFERENCE_SERVICE, key.namespace, key.name)
        except errors.NotFound:
            self._cache.drop_service(key)
            raise GoneError from None
        if fresh["metadata"]["uid"] != raw["metadata"]["uid"] or leaving(fresh):
            self._cache.put_service(fresh)
            raise GoneError

    async def _apply(self, key: Key, uid: str, write: Write) -> Manifest:
        resource = of_child(write.manifest)
        if write.drifted:
            logger.info("%s: correcting %s: %s", key, write.oid, "; ".join(write.reasons[:5]))
        try:
            if write.handover:
                await self._client.apply(resource, write.handover, uid=write.uid, manager=HANDOVER_MANAGER)
            applied = await self._client.apply(resource, write.manifest, uid=write.uid)
        except errors.Conflict:
            found = await self._client.get(resource, key.namespace, write.oid.name)
            if leaving(found) or is_predecessors(found, key, uid):
                raise _LeavingError from None
            if controller_uid(found) != uid:
                raise _TakenError from None
            applied = await self._client.apply(resource, write.manifest, uid=found["metadata"]["uid"])
        self._cache.put(applied)
        rest = frozenset(differences(write.manifest, applied))
        tolerated = self._tolerated.setdefault(key, {})
        if rest:
            tolerated[write.oid] = rest
        else:
            tolerated.pop(write.oid, None)
        return applied

    async def _prune(self, key: Key, manifests: Sequence[Manifest], live: dict[ObjectId, Manifest]) -> list[str]:
        failures = []
        for manifest in manifests:
            metadata = manifest["metadata"]
            logger.info("%s: removing %s %s, which is no longer wanted", key, manifest["kind"], metadata["name"])
            try:
                await self._client.delete(of_child(manifest), key.namespace, metadata["name"], uid=metadata["uid"])
            except errors.Conflict:
                continue
            except (errors.ApiError, aiohttp.ClientError, OSError) as error:
                failures.append(_failure(error))
            else:
                live.pop(ObjectId(manifest["kind"], metadata["name"]), None)
        return failures


class _LeavingError(Exception):
    """The name is held by an object that is being deleted."""


class _TakenError(Exception):
    """The name is held by somebody else's object."""


def _outcome(key: Key, plan: Plan, live: dict[ObjectId, Manifest], failures: list[str]) -> _Outcome:
    if failures:
        return _Outcome(live, error="; ".join(failures))
    if plan.taken:
        names = " and ".join(f"{oid.kind} {key.namespace}/{oid.name}" for oid in plan.taken)
        error = (
            f"{names} exists and does not belong to this InferenceService, so it is left alone; "
            "delete it or give the InferenceService another name"
        )
        return _Outcome(live, error=error, again=TAKEN_SECONDS)
    if plan.contested:
        write = plan.contested[0]
        error = (
            f"{write.oid} is changed again as often as it is put right ({write.reasons[0]}); stop whoever else manages "
            f"it: kubectl get {write.oid.kind.lower()} {write.oid.name} --show-managed-fields -o yaml"
        )
        return _Outcome(live, error=error, again=TAKEN_SECONDS)
    return _Outcome(live, again=LEAVING_SECONDS if plan.leaving else None)


def _failure(error: BaseException) -> str:
    if isinstance(error, errors.ApiError | aiohttp.ClientError | OSError):
        return str(error) or type(error).__name__
    raise error


def _skeleton(raw: Manifest) -> InferenceService:
    """Return an InferenceService with this one's identity, for the status of one that cannot be read."""
    metadata = raw["metadata"]
    identity = {name: metadata[name] for name in ("name", "namespace", "uid", "generation") if name in metadata}
    return InferenceService.model_validate({"metadata": identity, "spec": {"predictor": {}}})


def _problem(detail: Mapping[str, Any]) -> Problem:
    return Problem(field=".".join(str(part) for part in detail["loc"]), message=str(detail["msg"]))
