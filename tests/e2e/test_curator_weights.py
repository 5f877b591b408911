"""The Curator example with its weights on a real S3 server, without a cluster."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest

from tests.conformance.server_process import ROOT
from tests.conformance.style_process import Styled
from tests.e2e.s3 import S3, running

EXAMPLE = ROOT / "runtimes" / "examples" / "08-curator-cradio"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with running(tmp_path_factory.mktemp("s3")) as found:
        yield found


@pytest.fixture(scope="module")
def example(server: S3, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's folder; its weights are in the bucket, and nowhere else."""
    folder = tmp_path_factory.mktemp("example") / "cradio"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    subprocess.run([sys.executable, "make_weights.py"], cwd=folder, check=True, timeout=120)
    server.put("/models")
    store = server.store("models")
    obstore.put(store, "weights/nvidia/C-RADIO/model.npz", folder / "weights" / "nvidia" / "C-RADIO" / "model.npz")
    obstore.put(store, "weights/nvidia/C-RADIO-2/other.npz", b"another model's")
    shutil.rmtree(folder / "weights")
    return folder


def serve(log: Path, example: Path, env: dict[str, str]) -> Styled:
    env = {"MODELWRIGHT_WEIGHTS_URI": "s3://models/weights", "MODELWRIGHT_WEIGHTS_DIR": str(log / "weights"), **env}
    return Styled(log, "nemo_curator", str(example), "--enable_grpc=false", **env)


def test_weights_come_from_s3_before_setup(server: S3, example: Path, tmp_path: Path) -> None:
    running = serve(tmp_path, example, server.env)
    try:
        running.wait_until_serving()
        body = (example / "input.json").read_bytes()
        assert running.ask("POST", "/v1/models/CRadio:predict", body, timeout=40).status == 200
        files = {path.name for path in (tmp_path / "weights" / "nvidia" / "C-RADIO").iterdir()}
        assert files == {"model.npz", ".modelwright.json"}
        assert re.search(r"1 file, .*, in .* after", running.log)
        assert running.stop() == 0
    finally:
        running.kill()
    assert server.secret not in running.log


def test_a_refusal_of_the_store_stops_the_start_and_shows_no_secret(server: S3, example: Path, tmp_path: Path) -> None:
    refused = serve(tmp_path, example, {**server.env, "AWS_SECRET_ACCESS_KEY": "wrong-s3cret"})
    try:
        assert refused.process.wait(60) == 1
    finally:
        refused.kill()
    assert "the secret key does not fit the access key" in refused.log.splitlines()[-1]
    assert "wrong-s3cret" not in refused.log
    assert os.environ.get("AWS_SECRET_ACCESS_KEY", "no secret") not in refused.log
