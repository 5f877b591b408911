"""Replicas as Ray actors, on this machine or on many: Ray places them, a thread here gives them their calls."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any, Final

import ray
from ray.exceptions import RayError

from modelwright.scale import cluster
from modelwright.scale.host import Host, Streaming
from modelwright.scale.placement import Placement
from modelwright.scale.ray_errors import died, meant
from modelwright.scale.ray_pieces import RayPieces
from modelwright.scale.replicas import Factory, ReplicaDied
from modelwright.scale.surroundings import Surroundings

# A call runs again once where its replica died; a call that kills two is what kills them.
_TRIES: Final = 2
# Seconds before a replica that could not be started is started again: the first time, and at most.
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0


@dataclass(slots=True, eq=False)
class _Call:
    method: str
    arguments: Mapping[str, Any]
    on: int | None = None
    future: Future[Any] = field(default_factory=Future)
    begun: bool = False
    deaths: int = 0


@dataclass(slots=True, eq=False)
class _Replica:
    number: int
    actor: Any
    ready: bool = False
    in_work: int = 0
    wait: float = _FIRST_WAIT


class RayReplicas:
    """`replicas.Replicas` of one factory's objects, each in a Ray actor; a factory may be a coroutine function.

    `options` are those of Ray's actors, such as num_cpus and num_gpus; `at_once` is how many calls a replica has at one
    time, more than one for objects that are asynchronous. Made by one process, it is that one's.
    """

    def __init__(
        self, factory: Factory, count: int = 1, *, options: Mapping[str, Any] | None = None, at_once: int = 1
    ) -> None:
        """Start the replicas, on the Ray that `cluster.connect` has found or that it starts now.

        Raises:
            Unplaceable: the machine has not what `options` ask for.
            TypeError: the factory cannot be sent.
            Exception: what it raised.

        """
        cluster.connect()
        self._options = dict(options or {})
        self._placement = Placement(self._options)
        self._at_once = at_once
        # Arrays within travel beside the pickle, once, and replicas of one machine share them.
        self._factory = ray.put(factory)
        self._surroundings = Surroundings.here()
        self._replicas: dict[int, _Replica] = {}
        self._waiting: deque[_Call] = deque()
        self._unfinished = 0
        self._room = threading.Condition()
        self._closed = False
        self._scaling = threading.Lock()
        # Ray calls back from a thread of its own, which must not be kept.
        self._events: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="replicas", daemon=True).start()
        try:
            self.scale(count)
        except BaseException:
            self.close()
            raise

    @property
    def count(self) -> int:
        """How many replicas there are, or are about to be."""
        return len(self._replicas)

    @property
    def running(self) -> int:
        """How many of them can be called."""
        return sum(replica.ready for replica in list(self._replicas.values()))

    def submit(self, method: str, arguments: Mapping[str, Any], *, on: int | None = None) -> Future[Any]:
        """See `Replicas.submit`; raises ReplicaDied once they are closed, IndexError where there is no number `on`."""
        if on is not None and not 0 <= on < self.count:
            raise IndexError(f"there is no replica {on}; there are {self.count}, from 0")
        with self._room:
            self._room.wait_for(lambda: self._closed or self._unfinished < 2 * max(1, self.count) * self._at_once)
        return self.enqueue(method, arguments, on=on)

    def enqueue(self, method: str, arguments: Mapping[str, Any], *, on: int | None = None) -> Future[Any]:
        """Do as `submit` without waiting for room: for who bounds the calls elsewhere."""
        if self._closed:
            raise ReplicaDied("the replicas have been closed")
        call = _Call(method, arguments, on)
        with self._room:
            self._unfinished += 1
        call.future.add_done_callback(self._finished)
        self._events.put(partial(self._enqueued, call))
        return call.future

    def scale(self, count: int) -> None:
        """See `Replicas.scale`.

        Raises:
            ValueError: there must be one at least.

        """
        if count < 1:
            raise ValueError(f"replicas: {count} is too few; there must be 1 at least")
        cluster.check(f"{count} replicas", cluster.demand(self._options, count))
        with self._scaling:
            started = [self._started(number) for number in range(self.count, count)]
            try:
                cluster.wait([start for _, start in started])
            except RayError as error:
                for replica, _ in started:
                    ray.kill(replica.actor)
                raise meant(error) from None
            changed = threading.Event()
            self._events.put(partial(self._scaled, [replica for replica, _ in started], count, changed))
            changed.wait()

    def weight(self) -> int:
        """Give the most memory that the first replica has had so far, in bytes."""
        weight: int = ray.get(self._replicas[0].actor.weight.remote())
        return weight

    def room(self) -> tuple[int, float | None]:
        """See `Replicas.room`."""
        return cluster.room()

    def close(self) -> None:
        """End every replica; calls that are not done fail with ReplicaDied. A Ray of this process's own goes on."""
        if not self._closed:
            self._closed = True
            with self._room:
                self._room.notify_all()
            self._events.put(self._ended)
            self._events.put(None)

    def _started(self, number: int) -> tuple[_Replica, Any]:
        host: Any = ray.remote(Host)
        actor = host.options(**self._placement.options(number)).remote(self._surroundings, [self._factory])
        return _Replica(number, actor), actor.start.remote()

    def _finished(self, _: Future[Any]) -> None:
        with self._room:
            self._unfinished -= 1
            self._room.notify()

    # All methods below run in the one thread.

    def _work(self) -> None:
        while (event := self._events.get()) is not None:
            try:
                event()
            except Exception:
                # The thread must go on: all calls wait for it.
                cluster.LOGGER.exception("replicas: an event could not be handled")

    def _enqueued(self, call: _Call) -> None:
        self._waiting.append(call)
        self._dispatch()

    def _dispatch(self) -> None:
        for call in list(self._waiting):
            replica = self._free(call.on)
            if replica is not None:
                self._waiting.remove(call)
                # False where its caller has left.
                if call.begun or call.future.set_running_or_notify_cancel():
                    call.begun = True
                    self._send(replica, call)
            elif call.on is None:
                return

    def _free(self, on: int | None) -> _Replica | None:
        if on is not None and on not in self._replicas:
            # It has been scaled away meanwhile.
            on = None
        among = self._replicas.values() if on is None else (self._replicas[on],)
        free = [replica for replica in among if replica.ready and replica.in_work < self._at_once]
        return min(free, key=lambda replica: replica.in_work, default=None)

    def _send(self, replica: _Replica, call: _Call) -> None:
        try:
            answer = replica.actor.call.remote(call.method, call.arguments).future()
        except Exception as error:
            # What cannot be pickled.
            call.future.set_exception(error)
            return
        replica.in_work += 1
        answer.add_done_callback(lambda done: self._events.put(partial(self._answered, replica, call, done)))

    def _answered(self, replica: _Replica, call: _Call, done: Future[Any]) -> None:
        error = done.exception()
        if error is None and isinstance(done.result(), Streaming):
            free = partial(self._events.put, partial(self._freed, replica))
            call.future.set_result(RayPieces(replica.actor, done.result().number, free))
            return
        if error is None:
            call.future.set_result(done.result())
        elif not died(error):
            call.future.set_exception(meant(error))
        else:
            self._lost(replica)
            call.deaths += 1
            if call.deaths < _TRIES and not self._closed:
                self._waiting.appendleft(call)
            else:
                call.future.set_exception(meant(error))
        self._freed(replica)

    def _freed(self, replica: _Replica) -> None:
        replica.in_work -= 1
        if not replica.in_work and self._replicas.get(replica.number) is not replica:
            ray.kill(replica.actor)
        self._dispatch()

    def _lost(self, replica: _Replica) -> None:
        replica.ready = False
        if self._replicas.get(replica.number) is replica and not self._closed:
            self._replace(replica.number, replica.wait)

    def _replace(self, number: int, wait: float) -> None:
        replica, start = self._started(number)
        replica.wait = wait
        self._replicas[number] = replica
        start.future().add_done_callback(lambda done: self._events.put(partial(self._replaced, replica, done)))

    def _replaced(self, replica: _Replica, done: Future[Any]) -> None:
        if self._replicas.get(replica.number) is not replica:
            ray.kill(replica.actor)
        elif done.exception() is None:
            self._runs(replica)
            self._dispatch()
        else:
            cluster.LOGGER.error("replica %d did not start: %s", replica.number, meant(done.exception()))  # type: ignore[arg-type]
            ray.kill(replica.actor)
            longer = min(_LONGEST_WAIT, 2 * replica.wait)
            again = partial(self._events.put, partial(self._again, replica, longer))
            timer = threading.Timer(replica.wait, again)
            timer.daemon = True
            timer.start()

    def _runs(self, replica: _Replica) -> None:
        replica.ready, replica.wait = True, _FIRST_WAIT
        # It never returns: it fails when the actor ends, in the midst of a call or not.
        life = replica.actor.live.remote().future()
        life.add_done_callback(lambda _: self._events.put(partial(self._lost, replica)))

    def _again(self, replica: _Replica, wait: float) -> None:
        if self._replicas.get(replica.number) is replica and not self._closed:
            self._replace(replica.number, wait)

    def _scaled(self, started: list[_Replica], count: int, changed: threading.Event) -> None:
        for replica in started:
            self._replicas[replica.number] = replica
            self._runs(replica)
        for number in [number for number in self._replicas if number >= count]:
            gone = self._replicas.pop(number)
            if not gone.in_work:
                ray.kill(gone.actor)
        changed.set()
        self._dispatch()

    def _ended(self) -> None:
        for replica in self._replicas.values():
            ray.kill(replica.actor)
        self._replicas.clear()
        for call in self._waiting:
            if call.begun or call.future.set_running_or_notify_cancel():
                call.future.set_exception(ReplicaDied("the replicas have been closed"))
        self._waiting.clear()
