"""A node of the Ray that another process heads: it joins at an address, and joins again when the two have parted."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Final

LOGGER: Final = logging.getLogger("modelwright.node")
# `ray` itself: the console script is not on every PATH.
_RAY: Final = "from ray.scripts.scripts import main; main()"
_JOINED: Final = "Ray runtime started"
_ERROR, _OUTPUT_OF_RAYLET = "\tERR ", "----- BEGIN "
# Seconds for which Ray's own process tries to reach a head that has gone, before it gives up; Ray's default is 60.
_HEAD_GONE: Final = {"RAY_gcs_rpc_server_reconnect_timeout_s": "10"}
# Seconds between two attempts to join: the first ones, and at most.
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 10.0
_REACHED: Final = 5.0
# Seconds between two looks at a head that is to go first.
_LOOK_EVERY: Final = 1.0


class Node:
    """Ray's processes on this machine, with the CPUs, GPUs and memory that the container has.

    `address` is `host:port` of the head; its name is looked up anew each time, for a head that has moved.
    """

    def __init__(self, address: str, environment: Mapping[str, str]) -> None:
        self._address = address
        self._environment = {"RAY_USAGE_STATS_ENABLED": "0", **_HEAD_GONE, **environment}
        self._process: subprocess.Popen[str] | None = None
        self._stopped = threading.Event()
        self._leaving = threading.Event()
        self.joined = False
        """Whether this node belongs to the head's Ray now."""

    def run(self) -> None:
        """Join, and join again whenever that has ended, until `stop`."""
        wait = _FIRST_WAIT
        while not self._stopped.is_set():
            if self._head_answers() and self._stay():
                wait = _FIRST_WAIT
                if not self._stopped.is_set():
                    LOGGER.warning("no longer part of the Ray at %s; joining again", self._address)
            self._stopped.wait(wait)
            wait = min(_LONGEST_WAIT, 2 * wait)

    def stop(self) -> None:
        """Leave the head's Ray and have `run` return; may be called from a signal handler."""
        self._stopped.set()
        if self._process is not None:
            self._process.terminate()

    def stop_after_head(self) -> None:
        """Stop once the head is gone, which still answers requests with this node's help; at once where it is gone.

        May be called from a signal handler; called again, it stops at once.
        """
        if self._leaving.is_set() or not self.joined:
            self.stop()
            return
        self._leaving.set()
        threading.Thread(target=self._outlive_head, name="leaving", daemon=True).start()

    def _outlive_head(self) -> None:
        while self.joined and self._head_answers():
            self._stopped.wait(_LOOK_EVERY)
        self.stop()

    def _head_answers(self) -> bool:
        host, _, port = self._address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=_REACHED).close()
        except OSError as error:
            LOGGER.info("waiting for the head of Ray at %s: %s", self._address, error)
            return False
        return True

    def _stay(self) -> bool:
        """Be a node for as long as it lasts; return whether it ever was one."""
        words = ["start", f"--address={self._address}", "--block", "--log-style=record", "--log-color=false"]
        command = [sys.executable, "-c", _RAY, *words]
        self._process = subprocess.Popen(
            command,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        if self._stopped.is_set():
            # The signal came in between.
            self._process.terminate()
        joined = self._listen(self._process)
        self._process.wait()
        return joined

    def _listen(self, process: subprocess.Popen[str]) -> bool:
        joined, told = False, True
        last = ""
        for line in process.stdout or ():
            last = line.strip() or last
            if _JOINED in line:
                joined = self.joined = True
                LOGGER.info("joined the Ray at %s", self._address)
            # What follows is the end of a log that a person does not need here.
            told = told and _OUTPUT_OF_RAYLET not in line
            if told and _ERROR in line:
                LOGGER.error("Ray: %s", line.strip().partition(_ERROR)[2])
        self.joined = False
        if not joined and not self._stopped.is_set():
            LOGGER.error(
                "Ray does not take this node: %s; where it says Unauthenticated or InvalidAuthToken, this pod's "
                "token is not the head's: restart both",
                last,
            )
        return joined


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give the environment for a node's processes: that of this one, without what only its head needs."""
    taken = dict(os.environ if given is None else given)
    # An actor that calls ray.init here is part of the head's Ray, and would else wait for its nodes.
    taken.pop("RAY_NODE_COUNT", None)
    return taken
