"""Which node a replica is put on: the one with the fewest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from modelwright.scale import cluster

SPREAD: Final = "SPREAD"
# Ray's way to say that a node that has gone, or has no room now, is no reason to wait.
_ELSEWHERE_IF_NEED_BE: Final[Any] = {"soft": True, "_spill_on_unavailable": True}


class Placement:
    """Ray's actor options for replicas by number.

    Ray's own SPREAD puts actors that hold no CPU on one node as long as that one is idle; here `SPREAD` is even by
    count, over nodes that are alive and can have such a replica at all. Other strategies are left to Ray.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = dict(options)
        self._spread = self._options.get("scheduling_strategy") == SPREAD
        self._chosen: dict[int, str] = {}

    def options(self, number: int) -> dict[str, Any]:
        """Give the options for a new replica `number`, which replaces one of the same number."""
        self._chosen.pop(number, None)
        if not self._spread or len(nodes := self._suitable()) < 2:
            return self._options
        on = Counter(self._chosen.values())
        self._chosen[number] = min(nodes, key=lambda node: on[node])
        affinity = NodeAffinitySchedulingStrategy(self._chosen[number], **_ELSEWHERE_IF_NEED_BE)
        return {**self._options, "scheduling_strategy": affinity}

    def _suitable(self) -> list[str]:
        # What Ray asks for to place an actor that says nothing.
        wanted = {"CPU": 1.0, **cluster.demand(self._options, 1)}
        found: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        return [
            str(node["NodeID"])
            for node in found
            if node["Alive"] and all(node["Resources"].get(name, 0) >= amount for name, amount in wanted.items())
        ]
