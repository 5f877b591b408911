"""The styles' adapters beside the same model by hand, on our server; and MLServer's style beside MLServer.

All servers run at once and are loaded in turn, a second each, so that a machine's moods are everybody's. Each is
started several times: where a process's code and objects come to lie moves its rate by up to a sixth. Rates are of a
whole core: requests by the time that the server computed for, which on a core of its own is the requests a second.
"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.serving import load
from tests.bench.serving.bodies import SMALL, Body, tensor
from tests.bench.serving.peers import MODELS, PEERS, Peer, say
from tests.bench.serving.process import Running, running

_OWN = Path(__file__).parent / "models"
_CONNECTIONS = 32
_STARTS = 5
HAND, HAND_IMIL, GENUINE = "by hand", "by hand, IMIL's fields", "MLServer"
# A request of the library's, with all that its driver reads.
_FIELDS = {
    **dict.fromkeys(("Tid", "Did", "Fid", "Ts", "Ts_ntp", "Inf_ver", "Msg_ver", "Ffp", "Ltsize", "Lfp"), "1"),
    "Per": [],
    "Model": "Sum",
    "Ad": "",
    "Mtp": [],
    "C_threshold": 0.5,
    "Base_64": json.dumps([float(number) for number in tensor("small").ravel()]),
}


@dataclass(frozen=True)
class Measured:
    """A server, the request that it gets, and whose rate its own is held against, where it is."""

    peer: Peer
    body: Body = SMALL
    against: str | None = HAND


@dataclass
class Rate:
    """The best round's requests a second, and requests a second of the server's computing."""

    seen: float = 0.0
    of_core: float = 0.0


def _renamed(body: Body, name: str) -> Body:
    # NOS's inputs have the names of Python's parameters.
    return Body(body.content.replace(b'"input-0"', json.dumps(name).encode()))


def _text(name: str, document: object) -> Body:
    shaped = {"name": name, "shape": [1], "datatype": "BYTES", "data": [json.dumps(document)]}
    return Body(json.dumps({"inputs": [shaped]}).encode())


def _ours(*command: str) -> Peer:
    return replace(PEERS["ours"], command=("{python}", *command, "--host=127.0.0.1"))


def _served(style: str, file: Path, name: str | None = None) -> Peer:
    path = f"{file}:{name}" if name else str(file)
    return _ours("-m", "modelwright", "serve", path, "--style", style, "--model_name=model")


def measured() -> dict[str, Measured]:
    """Return what is measured: the model by hand, in each style, and MLServer itself."""
    imil = _text("request", _FIELDS)
    return {
        HAND: Measured(_ours(str(_OWN / "hand.py")), against=None),
        "kserve": Measured(PEERS["ours"]),
        "mlserver": Measured(_served("mlserver", MODELS / "mlserver_model.py")),
        "nemo_curator": Measured(_served("nemo_curator", _OWN / "curator_model.py")),
        "nos": Measured(_served("nos", _OWN / "nos_model.py", "Sum"), _renamed(SMALL, "x")),
        HAND_IMIL: Measured(_ours(str(_OWN / "hand_imil.py")), imil, None),
        "infosys": Measured(_served("infosys", _OWN / "imil" / "sum_loader.py", "SumModelLoader"), imil, HAND_IMIL),
        GENUINE: Measured(PEERS["mlserver"], against=None),
    }


def rates(seconds: float) -> dict[str, Rate]:
    """Return each one's rate, the best of as many rounds as go into so many seconds, and of one for each start.

    Raises:
        RuntimeError: one of them did not start, or failed requests.

    """
    every = measured()
    for each in every.values():
        each.peer.install()
    best = {name: Rate() for name in every}
    for start in range(_STARTS):
        say(f"adapters: start {start + 1} of {_STARTS}")
        _rounds(every, best, seconds / _STARTS)
    return best


def _rounds(every: dict[str, Measured], best: dict[str, Rate], seconds: float) -> None:
    """Start all servers, load them in turn for so long, and keep what is better than the best so far."""
    with ExitStack() as stack:
        servers = {}
        for name, each in every.items():
            servers[name] = stack.enter_context(running(each.peer, body=each.body))
            _loaded(name, servers[name], each)
        until = time.monotonic() + seconds
        done = 0
        while not done or time.monotonic() < until:
            for name, each in every.items():
                found = _loaded(name, servers[name], each)
                best[name] = Rate(max(best[name].seen, found.seen), max(best[name].of_core, found.of_core))
            done += 1
            say(f"adapters: round {done}, {max(0.0, until - time.monotonic()):.0f} s left")


def _loaded(name: str, server: Running, each: Measured) -> Rate:
    begun = server.cpu_seconds()
    found = load.wrk(server.http, each.peer.path, each.body, _CONNECTIONS, 1.0)
    if found.failed:
        raise RuntimeError(f"{name}: {found.failed} requests failed")
    return Rate(found.rps, found.requests / (server.cpu_seconds() - begun))
