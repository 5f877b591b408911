"""Where replicas are put; the nodes are told, nothing here starts a Ray."""

from typing import Any

import pytest
import ray
from modelwright.scale.placement import Placement


def node(name: str, cpus: float = 2, gpus: float = 0, *, alive: bool = True) -> dict[str, Any]:
    # Ray's ids have 28 bytes.
    return {"NodeID": name * 56, "Alive": alive, "Resources": {"CPU": cpus, "GPU": gpus}}


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found = [node("a"), node("b")]
    monkeypatch.setattr(ray, "nodes", lambda: found)
    return found


def chosen(placement: Placement, number: int) -> str:
    strategy = placement.options(number)["scheduling_strategy"]
    return str(strategy if isinstance(strategy, str) else strategy.node_id[0])


def test_replicas_are_spread_evenly(nodes: list[dict[str, Any]]) -> None:
    placement = Placement({"scheduling_strategy": "SPREAD"})
    assert [chosen(placement, number) for number in range(4)] == ["a", "b", "a", "b"]


def test_the_place_of_one_that_died_is_taken_by_its_successor(nodes: list[dict[str, Any]]) -> None:
    placement = Placement({"scheduling_strategy": "SPREAD"})
    assert [chosen(placement, number) for number in (0, 1)] == ["a", "b"]
    nodes[1]["Alive"] = False
    nodes.append(node("c"))
    assert chosen(placement, 1) == "c"


def test_only_nodes_that_can_have_it_are_asked(nodes: list[dict[str, Any]]) -> None:
    nodes[:] = [node("d", cpus=0, gpus=1), node("e"), node("b", gpus=1), node("c", gpus=1)]
    placement = Placement({"scheduling_strategy": "SPREAD", "num_gpus": 1})
    assert [chosen(placement, number) for number in range(3)] == ["b", "c", "b"]


def test_one_node_and_other_strategies_are_left_to_ray(nodes: list[dict[str, Any]]) -> None:
    assert Placement({"num_cpus": 1}).options(0) == {"num_cpus": 1}
    nodes.pop()
    assert Placement({"scheduling_strategy": "SPREAD"}).options(0) == {"scheduling_strategy": "SPREAD"}
