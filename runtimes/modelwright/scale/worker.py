"""The thread that keeps one replica's process and does its calls."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future

from modelwright.scale.calls import Call, Calls
from modelwright.scale.frames import Closed
from modelwright.scale.pieces import Feed, Pieces
from modelwright.scale.process import Launch, ReplicaProcess
from modelwright.scale.replica import END, RAISED, STREAM
from modelwright.scale.replicas import ReplicaDied

_LOGGER = logging.getLogger(__name__)
# A call that kills two replicas is what kills them.
_DEATHS = 2


class Worker:
    """Replica `number`. `started` has no value once its object is made, or what kept it from being made."""

    def __init__(self, calls: Calls, factory: bytes, number: int, threads: int, launch: Launch | None = None) -> None:
        self.started: Future[None] = Future()
        self._calls = calls
        self._factory = factory
        self._number = number
        self._threads = threads
        self._launch = launch
        self._process: ReplicaProcess | None = None
        self._feed: Feed | None = None
        self._ends = False
        self._thread = threading.Thread(target=self._run, name=f"replica-{number}", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Its process, or 0 while there is none."""
        process = self._process
        return process.pid if process else 0

    def weight(self) -> int:
        """Give the most memory that its process has had, in bytes."""
        process = self._process
        return process.weight() if process else 0

    def finish(self) -> None:
        """End after the call that it is in."""
        self._ends = True
        self._calls.wake()

    def stop(self) -> None:
        """End now; the call that it is in fails, or is another's to do again."""
        self.finish()
        feed, process = self._feed, self._process
        if feed is not None:
            feed.end(ReplicaDied("the replicas have been closed"))
        if process is not None:
            process.close()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._process = ReplicaProcess(self._factory, self._threads, self._launch)
        except Closed:
            self.started.set_exception(ReplicaDied(f"replica {self._number} ended while its object was made"))
            return
        except BaseException as raised:
            self.started.set_exception(raised)
            return
        self.started.set_result(None)
        while self._step():
            pass
        if self._process is not None:
            self._process.close()

    def _step(self) -> bool:
        """Do one call; give whether there may be another."""
        call = self._calls.take(self._number, lambda: self._ends)
        if call is None:
            return False
        # The first try only: a future can begin to run once.
        if not call.deaths and not call.future.set_running_or_notify_cancel():
            self._calls.done()
            return True
        begun = self._do(call)
        # The call holds the iterator of its stream, which nobody but the caller is to keep alive.
        del call
        if begun is not None:
            self._stream(*begun)
        return True

    def _do(self, call: Call) -> tuple[ReplicaProcess, Feed] | None:
        """Answer a call; give the stream that it began, where it did."""
        try:
            process = self._alive()
            kind, value = process.call(call.method, call.arguments)
        except Closed:
            self._died(call)
            return None
        except Exception as raised:
            call.future.set_exception(raised)
        else:
            if kind == STREAM:
                feed = Feed()
                call.future.set_result(Pieces(feed))
                return process, feed
            if kind == RAISED:
                call.future.set_exception(value)
            else:
                call.future.set_result(value)
        self._calls.done()
        return None

    def _stream(self, process: ReplicaProcess, feed: Feed) -> None:
        self._feed = feed
        try:
            while feed.wanted():
                kind, value = process.more()
                if kind == END:
                    feed.end()
                    return
                if kind == RAISED:
                    feed.end(value)
                    return
                feed.give(value)
            process.enough()
        except Closed:
            feed.end(ReplicaDied(f"replica {self._number} {process.ended()} in the midst of a stream"))
            self._replace()
        finally:
            self._feed = None
            self._calls.done()

    def _died(self, call: Call) -> None:
        how = self._process.ended() if self._process else "did not start"
        call.deaths += 1
        if call.deaths < _DEATHS:
            _LOGGER.warning("replica %d %s in a call of %s, which is done again", self._number, how, call.method)
            self._calls.again(call)
        else:
            self._calls.done()
            call.future.set_exception(
                ReplicaDied(f"replica {self._number} {how} in a call of {call.method}, as another did before it")
            )
        self._replace()

    def _replace(self) -> None:
        """Start another process at once, where this replica goes on; where that fails, the next call tries again."""
        dead, self._process = self._process, None
        if dead is not None:
            dead.close()
        if self._ends:
            return
        try:
            self._process = ReplicaProcess(self._factory, self._threads, self._launch)
        except Exception:
            _LOGGER.exception("replica %d could not be replaced", self._number)

    def _alive(self) -> ReplicaProcess:
        """Give a process that lives; one that ended between two calls costs none of them a try."""
        process = self._process
        if process is None or not process.alive:
            if process is not None:
                _LOGGER.warning("replica %d %s; another takes its place", self._number, process.ended())
                process.close()
            process = self._process = ReplicaProcess(self._factory, self._threads, self._launch)
        return process
