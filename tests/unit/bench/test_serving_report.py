from __future__ import annotations

import pytest

from tests.bench.serving.plot import draw
from tests.bench.serving.soak import summary
from tests.bench.serving.table import judged, lines


def load(rps: float) -> dict[str, float]:
    return {"rps": rps, "p50": 1.0, "p99": 40 / rps, "failed": 0, "busy": 0.0}


def soaked(per_minute: float) -> dict[str, object]:
    """An hour at 60 MB that grows, after a warm-up of five minutes in which it is anything."""
    samples = [(at / 6, 60 + per_minute * (at / 6 - 5) if at >= 30 else 40.0) for at in range(361)]
    return summary(samples, 5) | {"peak": 1000.0, "rps": 500.0, "minutes": 60}


def test_a_soaks_drift_is_that_of_the_line_after_the_warm_up():
    found = soaked(0.06)
    assert found["drift"] == pytest.approx(5.5)
    assert (found["least"], found["most"]) == pytest.approx((60, 63.3))


@pytest.mark.parametrize(("per_minute", "verdict"), [(0.0, "met"), (0.03, "met"), (0.06, "MISSED"), (-0.06, "MISSED")])
def test_memory_is_flat_within_three_percent_either_way(per_minute, verdict):
    assert [found for found, _ in judged({"soak": {"ours": soaked(per_minute)}})] == [verdict]


def test_the_table_and_the_picture_take_what_failed_and_what_is_missing(tmp_path):
    results = {
        "start": {"ours": {"seconds": 0.5, "all": [0.5]}, "kserve": {"error": "no"}},
        "small c=32": {"floor": load(20_000), "ours": load(11_000), "kserve": load(900)},
        "workers": {"ours": {"one": 560.0, "four": 600.0, "processes": 5}},
        "soak": {"ours": soaked(0.01)},
    }
    peers = ["floor", "ours", "kserve", "mlserver"]
    assert any("failed" in line for line in lines(results, peers))
    file = tmp_path / "bench.png"
    draw(results, peers, file)
    assert file.read_bytes().startswith(b"\x89PNG")
    draw({"soak": {"ours": {"error": "no"}}}, peers, file)
