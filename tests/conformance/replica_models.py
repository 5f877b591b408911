"""What `test_replicas.py` runs in replicas."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np


class Unsendable(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)


class Worker:
    def __init__(self) -> None:
        self.calls = 0

    def add(self, x, y=1):
        self.calls += 1
        return x + y

    def pid(self) -> int:
        return os.getpid()

    def wait_for(self, path: str, beside: object = None) -> int:
        Path(f"{path}.{os.getpid()}").touch()
        while not Path(path).exists():
            time.sleep(0.01)
        return os.getpid()

    def fill(self, array: np.ndarray) -> float:
        array += 1
        return float(array.sum())

    def refuse(self) -> None:
        raise KeyError("a")

    def refuse_oddly(self) -> None:
        raise Unsendable("one", "two")

    def give_a_lock(self):
        import threading

        return threading.Lock()

    def die_once(self, mark: str) -> str:
        if not Path(mark).exists():
            Path(mark).touch()
            os._exit(3)
        return "lived"

    def die(self) -> None:
        os._exit(3)

    def count(self, n: int) -> Iterator[int]:
        yield from range(n)
        if n == 5:
            raise ValueError("five")

    def count_and_die(self) -> Iterator[int]:
        yield 1
        os._exit(4)

    async def later(self) -> str:
        return "later"

    async def count_later(self, n: int) -> AsyncIterator[int]:
        for number in range(n):
            yield number
