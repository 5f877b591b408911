"""Handles over replicas that answer here, so that order and names are what is tested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any

import pytest
from modelwright.styles.nos.library.common import InputValidationException, ModelSpec
from modelwright.styles.nos.library.common.spec import ModelDeploymentSpec
from modelwright.styles.nos.library.managers.handle import ModelHandle
from modelwright.styles.nos.library.managers.model import ModelManager

GIB = 2**30


class Model:
    def __call__(self, x: int, y: int = 1) -> int:
        return x + y

    def double(self, x: int) -> int:
        return 2 * x

    def count(self, n: int) -> Iterator[int]:
        yield from range(n)

    def submit(self, x: int) -> str:
        return f"the author's {x}"


class Here:
    """Replicas that answer at once, and know which of them was asked."""

    def __init__(self, spec: ModelSpec, count: int) -> None:
        self._made = spec.default_signature.func_or_cls()
        self.count = count
        self.asked: list[int | None] = []
        self.free, self.processors = 0, None
        self.closed = False

    def submit(self, method: str, arguments: Mapping[str, Any], *, on: int | None = None) -> Future[Any]:
        self.asked.append(on)
        future: Future[Any] = Future()
        future.set_result(getattr(self._made, method)(**arguments))
        return future

    def scale(self, count: int) -> None:
        self.count = count

    def room(self) -> tuple[int, float | None]:
        return self.free, self.processors

    def weight(self) -> int:
        return GIB

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def handle() -> ModelHandle:
    return ModelHandle(ModelSpec.from_cls(Model), engine=Here)


def test_methods_are_called_by_name_keyword_or_place(handle: ModelHandle) -> None:
    assert (handle(x=1), handle(1), handle(1, y=3), handle.double(x=2), handle(2, _method="double")) == (2, 2, 4, 4, 4)
    assert list(handle.count(n=2)) == list(handle(n=2, _method="count", _stream=True)) == [0, 1]
    assert list(handle.double(x=2, _stream=True)) == [4]
    assert handle._replicas.asked == [0] * 8, "a plain call is replica 0's"


def test_what_a_handle_has_itself_is_not_replaced(handle: ModelHandle) -> None:
    ref = handle.submit(x=1)
    assert handle.get(ref) == 2
    assert handle(x=1, _method="submit") == "the author's 1"


def test_wrong_names_are_refused_before_anything_is_called(handle: ModelHandle) -> None:
    with pytest.raises(InputValidationException, match="unknown inputs z; the method takes x, y"):
        handle(z=1)
    with pytest.raises(InputValidationException, match="double takes 1 inputs, not 2"):
        handle.double(1, 2)
    with pytest.raises(InputValidationException, match="Model has no method 'absent': __call__, count, double, submit"):
        handle.submit(_method="absent")
    assert not handle._replicas.asked


def test_the_first_generation_fetches_in_order(handle: ModelHandle) -> None:
    handle.scale(replicas=2)
    for x in range(4):
        handle.double.submit(x=x)
        assert handle.results.ready() is (x == 3), "full at twice the replicas"
    assert (handle.full(), handle.pending, len(handle.results)) == (True, 4, 4)
    handle.double.submit(x=4)
    assert [handle.results.get_next(), handle.get_next(), handle.get()] == [0, 2, 4], "none is dropped"
    assert handle.has_next()
    assert handle.results.has_next()
    assert [handle.get_next(), handle.get_next()] == [6, 8]
    assert not handle.has_next()
    with pytest.raises(StopIteration):
        handle.get_next()


async def test_the_second_generation_fetches_by_reference(handle: ModelHandle) -> None:
    first, second, third = (handle.submit(x=x) for x in range(3))
    assert handle.get(second, timeout=1) == 2
    assert await handle.async_get(first) == 1
    with pytest.raises(KeyError, match="fetched once"):
        handle.get(first)
    assert handle.get_next() == 3
    assert third is not None


@pytest.mark.parametrize("batches", [0, 1, 3, 4, 5, 20])
@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_the_documents_imap_yields_each_result_once(batches: int, replicas: int, handle: ModelHandle) -> None:
    handle.scale(replicas)

    def imap(generator: Iterator[int]) -> Iterator[int]:
        for x in generator:
            handle.double.submit(x=x)
            if handle.results.ready():
                yield handle.results.get_next()
        while not handle.results.ready():
            yield handle.results.get_next()

    assert list(imap(iter(range(batches)))) == [2 * x for x in range(batches)]
    assert not handle.has_next()


@pytest.mark.parametrize("how", [{"replicas": 3}, {"num_replicas": 3}])
def test_scale_takes_the_keyword_of_either_generation(how: dict[str, int], handle: ModelHandle) -> None:
    assert handle.scale(**how) is handle
    assert handle.num_replicas == 3
    assert repr(handle) == "ModelHandle(name=Model, replicas=3, qsize=6)"
    assert handle.scale(1).scale("auto").num_replicas == 1, "the replica's weight leaves no room for another"
    assert handle.submit(x=1)


@pytest.mark.parametrize(
    ("running", "free", "processors", "expected"),
    # A tenth is left to others; those that run already would be free, were they not running.
    [(1, 10 * GIB, 4.0, 4), (1, 2 * GIB, 4.0, 2), (3, 2 * GIB, 8.0, 4), (3, 0, 8.0, 2), (2, 10 * GIB, 1.5, 1)],
)
def test_auto_has_as_many_as_the_measured_weight_of_the_first_allows(
    running: int, free: int, processors: float, expected: int, handle: ModelHandle
) -> None:
    replicas: Any = handle._replicas
    replicas.free, replicas.processors = free, processors
    assert handle.scale(running).scale("auto").num_replicas == expected


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "many", None])
def test_scale_refuses_what_is_no_count(wrong: object, handle: ModelHandle) -> None:
    with pytest.raises(ValueError, match="give a whole number from 1 on"):
        handle.scale(wrong)


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> ModelManager:
    monkeypatch.setattr("modelwright.styles.nos.engine.replicas", Here)
    return ModelManager(max_concurrent_models=2)


def test_a_manager_gets_adds_rescales_and_evicts(manager: ModelManager) -> None:
    one, two, three = (ModelSpec.from_cls(Model, model_id=name) for name in "abc")
    handle = manager.load(one)
    assert manager.get(one) is manager.load(one, ModelDeploymentSpec(num_replicas=3)) is handle
    assert handle.num_replicas == 3
    assert manager.load(one, num_replicas=2).num_replicas == 2
    with pytest.raises(ValueError, match="added already"):
        manager.add(one)
    manager.load(two)
    manager.load(three)
    assert (one in manager, two in manager, len(manager)) == (False, True, 2)
    assert handle._replicas.closed
    assert "ModelHandle(name=c" in repr(manager)


def test_a_managers_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOS_MAX_CONCURRENT_MODELS", "3")
    assert ModelManager().max_concurrent_models == 3
    with pytest.raises(ValueError, match="from 1 to 8"):
        ModelManager(max_concurrent_models=9)
    with pytest.raises(NotImplementedError, match="FIFO"):
        ModelManager(policy=ModelManager.EvictionPolicy.LRU)
