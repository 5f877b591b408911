"""The bench of images: MLServer's Dockerfile on our base, and figures that miss their targets."""

from __future__ import annotations

import pytest

from tests.bench.images import __main__ as bench
from tests.bench.images import mlserver
from tests.bench.images.step import Figures

DOCKERFILE = r"""
FROM continuumio/miniconda3:24.4.0-0 AS env-builder
RUN conda install conda-pack

FROM seldonio/mlserver:1.7.1-slim
COPY \
    --chown=1000 \
    --from=env-builder \
    /envs/base.tar.g[z] \
    ./envs/base.tar.gz
COPY \
    ./settings.jso[n] \
    ./requirements.tx[t] \
    .
RUN ./hack/build-env.sh .
COPY . .
CMD mlserver start $MLSERVER_MODELS_DIR
"""
GOOD = Figures(30.0, [3.0, 4.0, 5.0], 0.3, 100_000_000, 50_000_000, ["a", "a"], [3.0])
SLOW = Figures(60.0, [13.0], 9.0, 250_000_000, 200_000_000, [], [1.0])


def test_mlserver_s_last_stage_stands_on_our_base_without_conda() -> None:
    written = mlserver._on("ours", DOCKERFILE)

    assert "conda" not in written
    assert "env-builder" not in written
    assert written.startswith("\nFROM ours\n")
    assert "requirements.tx[t] \\\n    ./\n" in written
    assert "RUN ./hack/build-env.sh .\nCOPY . .\n" in written


def test_every_target_is_held_against_its_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert all(bench._targets(GOOD, SLOW).values())
    assert not any(bench._targets(SLOW, GOOD).values())
    assert "MISSED   code-only rebuild 13.0 s, under 6 s" in capsys.readouterr().out


def test_two_digests_of_one_tree_are_a_miss() -> None:
    other = Figures(30.0, [3.0], 0.3, 100_000_000, 50_000_000, ["a", "b"], [3.0])

    assert not bench._targets(other, SLOW)["same tree twice, one digest"]
