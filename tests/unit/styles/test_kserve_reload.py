from __future__ import annotations

import asyncio
import threading

from modelwright.styles.kserve.adapter import KServeModel
from modelwright.styles.kserve.twins.model import Model


class Author(Model):
    def __init__(self, name="m", eager=False):
        super().__init__(name)
        self.setting = "kept"
        self.threads = []
        if eager:
            self.load()

    def load(self):
        self.threads.append(threading.current_thread())
        self.weights = [1.0]
        self.ready = True
        return True

    def predict(self, payload, headers=None):
        return {"predictions": self.weights}


class Loop:
    async def call(self, function, *arguments):
        return function(*arguments)


async def test_what_load_set_is_gone_after_unload_and_there_again_after_load():
    author = Author()
    model = KServeModel(author)
    await model.load()
    model.unload()
    assert not model.ready
    assert not hasattr(author, "weights")
    assert author.setting == "kept"
    await model.load()
    assert model.ready
    assert (await model.predict_v1({"instances": [1]}, {})).result == {"predictions": [1.0]}


async def test_what_the_constructor_loaded_stays_and_load_makes_it_ready_again():
    author = Author(eager=True)
    model = KServeModel(author)
    await model.load()
    model.unload()
    assert not model.ready
    assert author.weights == [1.0]
    await model.load()
    assert model.ready


async def test_in_a_server_that_answers_a_synchronous_load_runs_beside_its_loop():
    author = Author()
    model = KServeModel(author)
    await model.load()
    model.unload()
    model.bind(Loop())
    await model.load()
    first, second = author.threads
    assert first is threading.main_thread()
    assert second is not threading.main_thread()


async def test_an_asynchronous_load_stays_on_the_loop():
    class Asynchronous(Author):
        async def load(self):
            self.loop = asyncio.get_running_loop()
            self.ready = True
            return True

    author = Asynchronous()
    model = KServeModel(author)
    model.bind(Loop())
    await model.load()
    assert author.loop is asyncio.get_running_loop()
