from __future__ import annotations

import pytest
from modelwright.errors import ModelNotFound, ModelNotReady
from modelwright.model import Model, ModelMetadata, Repository
from modelwright.server.admin.lifecycle import Lifecycle
from modelwright.server.health import Health


class Light(Model):
    def __init__(self, name, *, comes_up=True):
        self.name = name
        self.ready = False
        self.bound = 0
        self.comes_up = comes_up

    def metadata(self):
        return ModelMetadata(self.name, versions=("1", "2"))

    def bind(self, execution):
        self.bound += 1

    async def load(self):
        self.ready = self.comes_up

    def unload(self):
        self.ready = False


async def made(*models):
    repository = Repository(models)
    lifecycle = Lifecycle(repository, 0.01, lambda name, seconds: None)
    for model in models:
        await model.load()
    return repository, lifecycle


async def test_readiness_is_that_of_the_models_that_are_loaded():
    repository, lifecycle = await made(Light("a"), Light("b"))
    health = Health(repository)
    health.listening = True
    await lifecycle.unload("a")
    assert health.ready
    with pytest.raises(ModelNotFound):
        health.model_ready("a")
    await lifecycle.unload("b")
    assert not health.ready
    await lifecycle.load("a")
    assert health.ready


async def test_a_model_that_is_loaded_while_the_server_runs_is_bound():
    model = Light("a")
    _, lifecycle = await made(model)
    lifecycle.bind(object())
    await lifecycle.unload("a")
    await lifecycle.load("a")
    await lifecycle.load("a")
    assert model.bound == 1


async def test_one_that_is_not_ready_after_its_load_is_refused():
    model = Light("a")
    repository, lifecycle = await made(model, Light("b"))
    await lifecycle.unload("a")
    model.comes_up = False
    with pytest.raises(ModelNotReady, match="did not load"):
        await lifecycle.load("a")
    assert repository.names == ["b"]
    assert lifecycle.index(ready_only=False)[0] == {
        "name": "a",
        "version": "2",
        "state": "UNAVAILABLE",
        "reason": "load failed: ModelNotReady",
    }


async def test_a_model_that_was_not_ready_at_the_start_can_be_loaded():
    model = Light("a", comes_up=False)
    _, lifecycle = await made(model)
    assert lifecycle.index(ready_only=True) == []
    model.comes_up = True
    await lifecycle.load("a")
    assert [each["state"] for each in lifecycle.index(ready_only=True)] == ["READY"]


async def test_an_unknown_name_is_refused_with_those_that_are_known():
    _, lifecycle = await made(Light("a"))
    for change in (lifecycle.load, lifecycle.unload):
        with pytest.raises(ModelNotFound, match="'a'"):
            await change("nobody")


async def test_what_the_parent_has_shed_a_worker_has_to_load():
    repository, lifecycle = await made(Light("a"), Light("b"))
    lifecycle.shed("a")
    lifecycle.shed("a")
    assert repository.names == ["b"]
    assert lifecycle.missing(frozenset({"a", "b"})) == ["a"]
    assert lifecycle.missing(frozenset({"b"})) == []
