"""The servers that are measured side by side, each in a virtual environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cluster.paths import cache_folder
from tests import compiled

ROOT = Path(__file__).parents[3]
MODELS = Path(__file__).parent / "models"
V2 = "/v2/models/model/infer"


@dataclass(frozen=True)
class Peer:
    """A server: what its environment holds, its command, and where it takes an inference.

    In `command`, {python}, {folder}, {file}, {http} and {grpc} are filled in.
    """

    name: str
    packages: tuple[str, ...]
    command: tuple[str, ...]
    path: str = V2
    kserve_flags: bool = False

    def python(self) -> Path:
        """Return the environment's interpreter: this one for ours."""
        return self.folder() / "bin" / "python" if self.packages else Path(sys.executable)

    def folder(self) -> Path:
        """Return the environment's folder."""
        return cache_folder() / "bench" / self.name

    def install(self) -> None:
        """Make the environment where it is not there yet, ours of this very tree.

        Raises CalledProcessError where it cannot be had.
        """
        if self.name == "ours":
            _compile(self.folder())
            return
        complete = self.folder() / "complete"
        if not self.packages or (complete.is_file() and complete.read_text() == json.dumps(self.packages)):
            return
        say(f"{self.name}: installing {' '.join(self.packages)}")
        uv = str(ROOT / "scripts" / "uv")
        venv = [uv, "venv", "--quiet", "--clear", "--python", "3.11", str(self.folder())]
        subprocess.run(venv, check=True)
        install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(self.python())]
        subprocess.run([*install, *self.packages], check=True)
        complete.write_text(json.dumps(self.packages))

    def argv(self, folder: Path, http: int, grpc: int | None, file: str, more: tuple[str, ...]) -> list[str]:
        """Return the command; gRPC is off where `grpc` is None."""
        known = {"python": str(self.python()), "bin": str(self.python().parent), "folder": str(folder)}
        words = [word.format(**known, file=file, http=http) for word in self.command]
        if self.kserve_flags:
            words += [f"--http_port={http}", f"--enable_grpc={'false' if grpc is None else 'true'}"]
        if grpc is not None:
            words += [f"--grpc_port={grpc}" if self.kserve_flags else str(grpc)]
        return [*words, *more]

    def environment(self) -> dict[str, str]:
        """Return the environment of its process."""
        own = {"PYTHONPATH": str(self.folder())} if self.name == "ours" else {}
        quiet = {"BENTOML_DO_NOT_TRACK": "true", "DO_NOT_TRACK": "1", "BENTOML_HOME": str(self.folder() / "home")}
        keep = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        return {"PATH": f"{self.python().parent}:{os.environ['PATH']}", **keep, **own, **quiet}

    def prepare(self, folder: Path, http: int) -> None:
        """Put what the command needs into an empty folder."""
        for model in MODELS.glob("*.py"):
            (folder / model.name).symlink_to(model)
        if self.name == "mlserver":
            ports = {"http_port": http, "grpc_port": http + 1, "metrics_port": http + 2}
            settings = {"host": "127.0.0.1", "parallel_workers": 0, "debug": False, **ports}
            (folder / "settings.json").write_text(json.dumps(settings))
            model_settings = {"name": "model", "implementation": "mlserver_model.Sum"}
            (folder / "model-settings.json").write_text(json.dumps(model_settings))


PEERS = {
    peer.name: peer
    for peer in (
        Peer("floor", ("uvicorn[standard]>=0.38", "orjson", "numpy", "grpcio"), ("{python}", "floor.py", "{http}")),
        Peer(
            "ours",
            (),
            ("{python}", "-m", "modelwright", "run", "--", "python", "{file}", "--host=127.0.0.1"),
            kserve_flags=True,
        ),
        Peer("kserve", ("kserve==0.21.0",), ("{python}", "{file}"), kserve_flags=True),
        Peer("mlserver", ("mlserver==1.7.1",), ("{bin}/mlserver", "start", "{folder}")),
        Peer("litserve", ("litserve==0.2.19", "numpy"), ("{python}", "litserve_model.py", "{http}"), "/predict"),
        Peer(
            "bentoml",
            ("bentoml==1.4.39", "numpy"),
            ("{bin}/bentoml", "serve", "bentoml_model:Sum", "--host=127.0.0.1", "--port={http}"),
            "/predict",
        ),
    )
}


@cache
def _compile(folder: Path) -> None:
    say("ours: compiling, as the builder does for images")
    shutil.rmtree(folder, ignore_errors=True)
    compiled.unpack(folder)


def say(line: str) -> None:
    """Tell the person at the terminal what goes on."""
    print(line, file=sys.stderr, flush=True)
