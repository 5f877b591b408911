from __future__ import annotations

import math
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from modelwright.server.metrics import families
from modelwright.server.metrics.counts import SPARE_PLACES, Metrics
from modelwright.server.metrics.exposition import Exposition
from modelwright.server.metrics.families import FAMILIES, OTHER
from modelwright.server.metrics.footprint import footprint
from prometheus_client import Histogram
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families


def answer(metrics: Metrics, model: str | None = "iris", protocol: str = "v2", code: int | str = 200, **parts) -> None:
    tally = metrics.request(protocol)
    if model is not None:
        tally.of(model)
    for name, seconds in parts.items():
        setattr(tally, name, seconds)
    tally.end(code)


def samples(metrics: Metrics) -> dict[tuple, float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in Exposition(metrics).collect()
        for sample in family.samples
    }


def test_requests_are_counted_by_model_protocol_and_code():
    metrics = Metrics()
    for _ in range(3):
        answer(metrics)
    answer(metrics, protocol="v1", code=400)
    answer(metrics, protocol="grpc", code="NOT_FOUND")
    answer(metrics, "other-model", protocol="openai", code=499)
    counted = {key[1:]: value for key, value in samples(metrics).items() if key[0] == "modelwright_requests_total"}
    assert counted == {
        ("iris", "v2", "200"): 3,
        ("iris", "v1", "400"): 1,
        ("iris", "grpc", "NOT_FOUND"): 1,
        ("other-model", "openai", "499"): 1,
    }


def test_what_has_no_name_of_its_own_makes_no_series_without_bound():
    metrics = Metrics()
    answer(metrics, None, code=404)
    answer(metrics, code=298)
    for number in range(SPARE_PLACES + 5):
        answer(metrics, f"late-{number}")
    counted = samples(metrics)
    assert counted["modelwright_requests_total", OTHER, "v2", "404"] == 1
    assert counted["modelwright_requests_total", "iris", "v2", OTHER] == 1
    # One of the spare places is iris's.
    assert counted["modelwright_requests_total", OTHER, "v2", "200"] == 6
    assert len({key[1] for key in counted if key[0] == "modelwright_requests_total"}) == SPARE_PLACES + 1


def test_a_histogram_adds_up_and_what_did_not_run_is_not_in_one():
    metrics = Metrics()
    answer(metrics, queue=0.2, predict=0.003, preprocess=0.0001)
    answer(metrics, predict=0.3, explain=90.0)
    counted = samples(metrics)
    assert counted["request_predict_seconds_count", "iris"] == 2
    assert counted["request_predict_seconds_sum", "iris"] == pytest.approx(0.303)
    assert counted["request_predict_seconds_bucket", "iris", "0.0025"] == 0
    assert counted["request_predict_seconds_bucket", "iris", "0.005"] == 1
    assert counted["request_predict_seconds_bucket", "iris", "+Inf"] == 2
    assert counted["request_preprocess_seconds_bucket", "iris", "0.0001"] == 1
    assert counted["request_explain_seconds_bucket", "iris", "60.0"] == 0
    assert counted["modelwright_queue_seconds_count", "iris"] == 2
    assert counted["modelwright_request_seconds_count", "iris", "v2"] == 2
    assert ("request_postprocess_seconds_count", "iris") not in counted


def test_batches_load_times_and_what_is_in_flight():
    metrics = Metrics(models=1)
    metrics.loaded("iris", 1.5)
    observe = metrics.batches("iris")
    observe(1)
    observe(5)
    metrics.request("v1").of("iris")
    counted = samples(metrics)
    assert counted["modelwright_model_load_seconds", "iris"] == 1.5
    assert counted["modelwright_batch_size_sum", "iris"] == 6
    assert counted["modelwright_batch_size_bucket", "iris", "4.0"] == 1
    assert counted["modelwright_requests_in_flight", "iris"] == 1


def test_workers_rows_add_up_and_a_replacement_goes_on_where_the_dead_one_stopped():
    metrics = Metrics(workers=2)
    metrics.loaded("iris", 2.0)
    metrics.take(1)
    answer(metrics, "only-here")
    answer(metrics)
    metrics.request("v2").of("iris")
    metrics.take(2)
    answer(metrics)
    metrics.take(0)
    assert metrics.workers == 2
    assert samples(metrics)["modelwright_requests_in_flight", "iris"] == 1
    metrics.ended(1)
    counted = samples(metrics)
    assert metrics.workers == 1
    assert counted["modelwright_worker_restarts_total",] == 1
    assert counted["modelwright_requests_in_flight", "iris"] == 0
    assert counted["modelwright_requests_total", "iris", "v2", "200"] == 2
    metrics.take(1)
    answer(metrics)
    answer(metrics, "only-here")
    counted = samples(metrics)
    assert counted["modelwright_requests_total", "iris", "v2", "200"] == 3
    assert counted["modelwright_requests_total", "only-here", "v2", "200"] == 2
    assert counted["modelwright_model_load_seconds", "iris"] == 2.0
    assert metrics.workers == 2


def test_forked_processes_write_into_one_memory():
    metrics = Metrics(workers=2)
    for number in (1, 2):
        pid = os.fork()
        if not pid:
            metrics.take(number)
            answer(metrics, code=200 + number)
            os._exit(0)
        os.waitpid(pid, 0)
    counted = samples(metrics)
    assert counted["modelwright_requests_total", "iris", "v2", "201"] == 1
    assert counted["modelwright_requests_total", "iris", "v2", "202"] == 1


@pytest.mark.parametrize("name", ["x" * 127 + "é", 'a"b\\c\nd', "模型", "x" * 500])
def test_any_model_name_can_be_read_back(name):
    metrics = Metrics()
    answer(metrics, name)
    answer(metrics, name)
    (shown,) = (key[1] for key in samples(metrics) if key[0] == "modelwright_requests_total")
    assert name.startswith(shown)
    assert len(shown.encode()) in (min(len(name.encode()), 128), 127)


async def test_both_forms_parse_and_have_every_family():
    metrics = Metrics()
    metrics.loaded("iris", 0.1)
    answer(metrics, predict=0.1, preprocess=0.1, postprocess=0.1, explain=0.1)
    exposition = Exposition(metrics)
    status, headers, body = await exposition.answer([(b"accept", b"text/html,*/*;q=0.1")])
    assert (status, headers) == (200, [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")])
    plain = {family.name for family in text_string_to_metric_families(body.decode())}
    accept = b"application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"
    status, headers, body = await exposition.answer([(b"accept", accept)])
    assert headers[0][1].startswith(b"application/openmetrics-text; version=1.0.0")
    open_metrics = {family.name for family in openmetrics.text_string_to_metric_families(body.decode())}
    ours = {family.name.removesuffix("_total") for family in FAMILIES}
    assert ours <= plain
    assert ours <= open_metrics


def test_kserve_s_own_histograms_keep_their_names_words_and_labels():
    genuine = Path(find_spec("kserve").origin).with_name("metrics.py").read_text()
    for family in (families.PREPROCESS, families.PREDICT, families.POSTPROCESS, families.EXPLAIN):
        assert f'"{family.name}", "{family.help}", PROM_LABELS' in genuine
        assert family.labels == ("model_name",)
    assert 'PROM_LABELS = ["model_name"]' in genuine
    assert set(Histogram.DEFAULT_BUCKETS) <= {*families.PREDICT.bounds, math.inf}


def test_an_author_s_metric_of_our_name_gives_way_and_a_broken_one_hides_nothing(monkeypatch, caplog):
    from modelwright import author_metrics
    from prometheus_client.core import CounterMetricFamily

    theirs = [CounterMetricFamily(name, "theirs", value=7) for name in ("modelwright_requests", "theirs")]
    monkeypatch.setattr(author_metrics, "collect", lambda: theirs)
    metrics = Metrics()
    answer(metrics)
    counted = samples(metrics)
    assert counted["modelwright_requests_total", "iris", "v2", "200"] == 1
    assert ("modelwright_requests_total",) not in counted
    assert counted["theirs_total",] == 7

    def broken():
        raise RuntimeError("no such sensor")

    monkeypatch.setattr(author_metrics, "collect", broken)
    assert samples(metrics)["modelwright_requests_total", "iris", "v2", "200"] == 1
    assert "no such sensor" in caplog.text


def test_memory_is_told_of_a_living_process_only():
    resident, proportional = footprint(os.getpid())
    assert resident >= proportional > 1024 * 1024
    assert footprint(2**30) is None


def test_where_no_folder_can_be_made_nothing_is_claimed_of_an_author_s_metrics(tmp_path):
    code = """
import os, sys, tempfile
from modelwright import author_metrics as own
own._MEMORY = tempfile.tempdir = "/nowhere"
print(own.prepare(2), own.collect(), own.FOLDER in os.environ)
import prometheus_client
prometheus_client.Counter("seen", "rows").inc()
print(own.collect())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip
    assert done.stdout.split("\n") == ["False [] False", "[]", ""]
