"""The styles' adapters beside the same model by hand, on our server; and MLServer's style beside MLServer.

NOS's inputs have the names of Python's parameters, which the shared request's has not, and IMIL's are no tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tests.bench.serving import load
from tests.bench.serving.bodies import SMALL
from tests.bench.serving.peers import MODELS, PEERS, Peer
from tests.bench.serving.process import running

_OWN = Path(__file__).parent / "models"
_CONNECTIONS, _SECONDS, _ROUNDS = 32, 3.0, 3
HAND = "by hand"
_FILES: Mapping[str, Path] = {
    "mlserver": MODELS / "mlserver_model.py",
    "nemo_curator": _OWN / "curator_model.py",
}


def _ours(*command: str) -> Peer:
    return replace(PEERS["ours"], command=("{python}", *command, "--host=127.0.0.1"))


def peers() -> dict[str, Peer]:
    """Return what is measured: the model by hand, in each style whose requests are tensors, and MLServer itself."""
    ours = {HAND: _ours(str(_OWN / "hand.py")), "kserve": PEERS["ours"]}
    for style, file in _FILES.items():
        serve = ("-m", "modelwright", "serve", str(file), "--style", style)
        ours[style] = _ours(*serve, "--model_name=model")
    return {**ours, "MLServer": PEERS["mlserver"]}


def rates() -> dict[str, float]:
    """Return each one's requests a second, the best of rounds in which they take turns.

    Raises:
        RuntimeError: one of them did not start, or failed requests.

    """
    best: dict[str, float] = {}
    for _ in range(_ROUNDS):
        for name, peer in peers().items():
            peer.install()
            with running(peer) as server:
                load.wrk(server.http, peer.path, SMALL, _CONNECTIONS, 1.0)
                found = load.wrk(server.http, peer.path, SMALL, _CONNECTIONS, _SECONDS)
            if found.failed:
                raise RuntimeError(f"{name}: {found.failed} requests failed")
            best[name] = max(best.get(name, 0.0), found.rps)
    return best
