"""One pass over one ModelImage: cache -> plan -> writes -> status. Level-triggered, as InferenceServices are."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
from pydantic import ValidationError

from modelwright_operator import labels
from modelwright_operator.api.modelimage import ModelImage
from modelwright_operator.build_plan import BuildPlan, Manifest, make_build_plan
from modelwright_operator.cluster import errors
from modelwright_operator.cluster.cache import Cache, Key, ObjectId
from modelwright_operator.cluster.client import Client
from modelwright_operator.cluster.drift import differences, stamp
from modelwright_operator.cluster.resources import CLAIM, JOB
from modelwright_operator.desired.build import Target, cache_claim
from modelwright_operator.desired.build.job import BUILD
from modelwright_operator.observed.build import BuildView, build_status, job_state, pod_of
from modelwright_operator.plan import controller_uid, leaving
from modelwright_operator.queue import RetryLater
from modelwright_operator.settings import Settings
from modelwright_operator.status_writer import GoneError, StatusWriter

logger = logging.getLogger(__name__)

Account = Callable[[str, str], dict[str, Any] | None]


class Building:
    """Makes the Jobs and the status of ModelImages what they should be.

    Args:
        client: the API server.
        cache: what the watches have told of ModelImages and their children.
        settings: the operator's settings.
        account: returns a ServiceAccount by namespace and name.
        writer: writes the status.
        now: the time, with a time zone.
    """

    def __init__(
        self,
        client: Client,
        cache: Cache,
        settings: Settings,
        *,
        account: Account,
        writer: StatusWriter,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client, self._cache, self._settings = client, cache, settings
        self._account, self._writer, self._now = account, writer, now

    async def __call__(self, key: Key) -> float | None:
        """Do one pass; return the seconds after which another is wanted, or None.

        Raises:
            RetryLater: something could not be written; the status says so already.
        """
        raw = self._cache.service(key)
        if raw is None or leaving(raw):
            return None
        try:
            return await self._pass(key, raw)
        except GoneError:
            return None
        except (errors.ApiError, aiohttp.ClientError, OSError) as error:
            if errors.namespace_is_leaving(error):
                return None
            raise RetryLater(str(error) or type(error).__name__) from error

    async def _pass(self, key: Key, raw: Manifest) -> float | None:
        image, unreadable = _read(raw)
        target = Target(image, self._settings, self._account(key.namespace, image.spec.service_account_name))
        objects = {
            oid: obj
            for oid, obj in self._cache.objects(key).items()
            if oid.kind == "Pod" or controller_uid(obj) == raw["metadata"]["uid"]
        }
        if problem := unreadable or _problem(target):
            await self._tell(key, raw, image, _idle(image.status, problem))
            return None
        jobs, pods = _of(objects, "Job"), _of(objects, "Pod")
        plan = make_build_plan(target, jobs, pods, self._now())
        error = await self._write(key, target, plan, objects)
        await self._tell(key, raw, image, _view(plan, pods, error))
        if error:
            raise RetryLater(error)
        return plan.again

    async def _tell(self, key: Key, raw: Manifest, image: ModelImage, view: BuildView) -> None:
        now = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        await self._writer(key, raw, build_status(image, view, raw.get("status") or {}, now))

    async def _write(
        self, key: Key, target: Target, plan: BuildPlan, objects: Mapping[ObjectId, Manifest]
    ) -> str | None:
        """Carry out the plan; return why not, where something could not be written."""
        try:
            await self._keep_claim(key, target, objects)
            for job in plan.delete:
                logger.info("%s: removing Job %s", key, job["metadata"]["name"])
                await self._delete(JOB.kind, key, job)
            for job in plan.create:
                made = await self._client.create(JOB, key.namespace, job)
                self._cache.put(made)
                logger.info("%s: started Job %s", key, made["metadata"]["name"])
                if made["metadata"]["labels"][labels.BUILD_STEP] == BUILD:
                    plan.build, plan.current, plan.lost = made, True, False
                    plan.build_count += 1
                else:
                    plan.looking = made
        except errors.ApiError as error:
            if errors.namespace_is_leaving(error):
                raise
            return str(error)
        return None

    async def _keep_claim(self, key: Key, target: Target, objects: Mapping[ObjectId, Manifest]) -> None:
        wanted = cache_claim(target)
        live = {oid: obj for oid, obj in objects.items() if oid.kind == CLAIM.kind and not leaving(obj)}
        if wanted is not None:
            found = live.pop(ObjectId(CLAIM.kind, wanted["metadata"]["name"]), None)
            stamped = stamp(wanted)
            if found is None or differences(stamped, found):
                uid = found["metadata"]["uid"] if found else None
                self._cache.put(await self._client.apply(CLAIM, stamped, uid=uid))
        for obj in live.values():
            await self._delete(CLAIM.kind, key, obj)

    async def _delete(self, kind: str, key: Key, obj: Manifest) -> None:
        metadata = obj["metadata"]
        resource = {JOB.kind: JOB, CLAIM.kind: CLAIM}[kind]
        try:
            await self._client.delete(resource, key.namespace, metadata["name"], uid=metadata["uid"])
        except errors.Conflict:
            return


def _of(objects: Mapping[ObjectId, Manifest], kind: str) -> list[Manifest]:
    return [obj for oid, obj in objects.items() if oid.kind == kind]


def _read(raw: Manifest) -> tuple[ModelImage, str | None]:
    """Return the ModelImage, and why it cannot be read where its CRD is another than ours."""
    try:
        return ModelImage.model_validate(raw), None
    except ValidationError as error:
        first = error.errors()[0]
        skeleton = ModelImage.model_validate({**raw, "spec": {}})
        return skeleton, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _problem(target: Target) -> str | None:
    """Return what is wrong with a ModelImage that its schema could not refuse."""
    if not target.builder:
        return (
            "spec.builder is required, because the operator's setting builderImage names none: name a builder image, "
            "such as the one that `make builder` makes"
        )
    claim = target.claim
    if claim and (message := claim.problem()):
        return f"spec.source.storageUri: {message}"
    return None


def _idle(status: Mapping[str, Any], problem: str) -> BuildView:
    return BuildView(
        problem=problem,
        latest_image=status.get("latestImage", ""),
        built_inputs=status.get("builtInputs", ""),
        build_count=status.get("buildCount", 0),
    )


def _view(plan: BuildPlan, pods: list[Manifest], error: str | None) -> BuildView:
    build, looking, facts = plan.build, plan.looking, plan.facts
    resolved = {"source": facts.source, "builder": facts.builder, "runImage": facts.run_image} if facts else None
    return BuildView(
        error=error,
        looking=(job_state(looking), pod_of(looking, pods)) if looking else None,
        build=(build, "running" if plan.awaited else job_state(build), pod_of(build, pods)) if build else None,
        lost=plan.lost,
        current=plan.current,
        latest_image=plan.latest_image,
        built_inputs=plan.built_inputs,
        build_count=plan.build_count,
        resolved=resolved,
    )
