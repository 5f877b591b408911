"""The operator's client and reflectors against a real kube-apiserver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from modelwright_operator.cluster import errors
from modelwright_operator.cluster.cache import Cache, Key, ObjectId
from modelwright_operator.cluster.client import PAGE_SIZE, Client
from modelwright_operator.cluster.login import from_kubeconfig
from modelwright_operator.cluster.reflector import ChildSink, Reflector
from modelwright_operator.cluster.resources import INFERENCE_SERVICE, OWNER_LABEL, SECRET, Resource

from tests.controlplane.api import CONFIG_MAP


@pytest.fixture
async def client(cluster: Path) -> AsyncIterator[Client]:
    async with Client(from_kubeconfig(cluster)) as client:
        yield client


def config_map(name: str, namespace: str, **data: str) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": {OWNER_LABEL: "m"}},
        "data": data,
    }


def reflector(client: Client, namespace: str, cache: Cache, notify: Callable[[Key], None]) -> Reflector:
    sink = ChildSink(cache, "ConfigMap")
    return Reflector(client, CONFIG_MAP, namespace, sink=sink, notify=notify, selector=OWNER_LABEL)


async def eventually(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not look():  # noqa: ASYNC110 - what is waited for happens in the kube-apiserver
            await asyncio.sleep(0.01)


async def test_an_apply_that_must_create_leaves_an_existing_object_as_it_is(client, admin, namespace):
    made = await client.apply(CONFIG_MAP, config_map("a", namespace, by="us"), uid=None)
    assert made["data"] == {"by": "us"}
    with pytest.raises(errors.Conflict, match=f"patch configmaps a in {namespace}"):
        await client.apply(CONFIG_MAP, config_map("a", namespace, by="them"), uid=None)
    assert admin.get(CONFIG_MAP, namespace, "a")["data"] == {"by": "us"}


async def test_an_apply_to_a_known_object_conflicts_with_its_successor(client, admin, namespace):
    made = await client.apply(CONFIG_MAP, config_map("a", namespace), uid=None)
    admin.delete(CONFIG_MAP, namespace, "a")
    with pytest.raises(errors.Conflict):
        await client.apply(CONFIG_MAP, config_map("a", namespace), uid=made["metadata"]["uid"])
    admin.create(CONFIG_MAP, namespace, {"metadata": {"name": "a"}})
    with pytest.raises(errors.Conflict):
        await client.apply(CONFIG_MAP, config_map("a", namespace), uid=made["metadata"]["uid"])


async def test_an_apply_takes_back_what_it_no_longer_says(client, namespace):
    made = await client.apply(CONFIG_MAP, config_map("a", namespace, one="1", two="2"), uid=None)
    again = await client.apply(CONFIG_MAP, config_map("a", namespace, one="1"), uid=made["metadata"]["uid"])
    assert again["data"] == {"one": "1"}


async def test_refusals_are_typed_and_name_verb_and_object(client, admin, namespace, operator_kubeconfig):
    with pytest.raises(errors.NotFound, match=f"get configmaps none in {namespace}"):
        await client.get(CONFIG_MAP, namespace, "none")
    invalid = config_map("Not_A_Name", namespace)
    with pytest.raises(errors.Invalid, match="Not_A_Name"):
        await client.apply(CONFIG_MAP, invalid, uid=None)
    async with Client(from_kubeconfig(operator_kubeconfig)) as limited:
        with pytest.raises(errors.Forbidden, match=f"list secrets in {namespace}"):
            await anext(aiter(limited.list(SECRET, namespace)))


async def test_a_list_comes_in_pages(client, admin, namespace):
    for number in range(PAGE_SIZE + 5):
        await client.apply(CONFIG_MAP, config_map(f"c{number}", namespace), uid=None)
    pages = [page async for page in client.list(CONFIG_MAP, namespace, selector=OWNER_LABEL)]
    assert [len(page.items) for page in pages] == [PAGE_SIZE, 5]


async def test_a_watch_from_too_long_ago_says_so(client, namespace, admin):
    # The API server knows of no custom resource before the moment in which its definition was installed.
    with pytest.raises(errors.Gone):
        async for _ in client.watch(INFERENCE_SERVICE, None, since="1", lasts=5, silence=10):
            pass


async def test_a_silent_watch_is_given_up(client, namespace):
    since = [page async for page in client.list(CONFIG_MAP, namespace)][-1].resource_version
    with pytest.raises(TimeoutError):
        async for _ in client.watch(CONFIG_MAP, namespace, since=since, lasts=30, silence=0.5):
            pass


async def test_a_reflector_tells_of_what_changes_and_of_nothing_unlabelled(client, admin, namespace):
    cache, told = Cache(), []
    running = reflector(client, namespace, cache, told.append)
    task = asyncio.create_task(running.run())
    await asyncio.wait_for(running.synced.wait(), 10)
    key = Key(namespace, "m")
    admin.create(CONFIG_MAP, namespace, {"metadata": {"name": "unlabelled"}})
    await client.apply(CONFIG_MAP, config_map("a", namespace), uid=None)
    await eventually(lambda: told == [key])
    assert list(cache.objects(key)) == [ObjectId("ConfigMap", "a")]
    admin.delete(CONFIG_MAP, namespace, "a")
    await eventually(lambda: told == [key, key])
    assert cache.objects(key) == {}
    task.cancel()


async def test_a_deletion_in_a_gap_between_watches_is_found_by_the_next_list(client, admin, namespace):
    cache, told = Cache(), []
    key = Key(namespace, "m")
    for name in ("stays", "goes"):
        await client.apply(CONFIG_MAP, config_map(name, namespace), uid=None)
    first = reflector(client, namespace, cache, told.append)
    task = asyncio.create_task(first.run())
    await asyncio.wait_for(first.synced.wait(), 10)
    task.cancel()
    assert told == [key, key]
    admin.delete(CONFIG_MAP, namespace, "goes")
    second = reflector(client, namespace, cache, told.append)
    task = asyncio.create_task(second.run())
    await asyncio.wait_for(second.synced.wait(), 10)
    task.cancel()
    assert told == [key, key, key]
    assert list(cache.objects(key)) == [ObjectId("ConfigMap", "stays")]


async def test_a_kind_that_is_not_served_holds_nobody_up_where_it_is_optional(client):
    absent = Resource("absent.example/v1", "Absent", "absents")
    running = Reflector(client, absent, None, sink=ChildSink(Cache(), "Absent"), notify=lambda _: None, optional=True)
    task = asyncio.create_task(running.run())
    await asyncio.wait_for(running.synced.wait(), 10)
    task.cancel()
