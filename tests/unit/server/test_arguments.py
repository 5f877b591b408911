from __future__ import annotations

import argparse

import pytest
from modelwright.server.arguments import default_asyncio_workers, parse, parser


def test_defaults_are_the_documents():
    arguments = parse([], {})
    assert (arguments.http_port, arguments.grpc_port, arguments.workers) == (8080, 8081, 1)
    assert arguments.enable_latency_logging is False
    assert 5 <= arguments.max_asyncio_workers <= 32


@pytest.mark.parametrize(("cpus", "workers"), [(0.5, 5), (1, 5), (2.5, 7), (64, 32)])
def test_asyncio_workers_follow_the_cpu_limit(cpus, workers):
    assert default_asyncio_workers(cpus) == workers


def test_a_flag_beats_the_environment_and_that_beats_port():
    assert parse([], {"PORT": "9001"}).http_port == 9001
    assert parse([], {"PORT": "9001", "MODELWRIGHT_HTTP_PORT": "9002"}).http_port == 9002
    assert parse(["--http_port=9003"], {"PORT": "9001", "MODELWRIGHT_HTTP_PORT": "9002"}).http_port == 9003


def test_every_flag_has_its_environment_variable():
    arguments = parse(
        [], {"MODELWRIGHT_WORKERS": "3", "MODELWRIGHT_ENABLE_GRPC": "no", "MODELWRIGHT_GRACE_PERIOD": "5"}
    )
    assert (arguments.workers, arguments.enable_grpc, arguments.grace_period) == (3, False, 5.0)


def test_kserves_spellings():
    arguments = parse(["--event-loop", "asyncio", "--timeout-keep-alive", "7", "--enable_latency_logging", "True"], {})
    assert (arguments.event_loop, arguments.timeout_keep_alive) == ("asyncio", 7)
    assert arguments.enable_latency_logging is True
    assert parse(["--enable_predictor_health_check"], {}).enable_predictor_health_check is True


def test_an_authors_own_flags_are_left_alone():
    assert parse(["--model", "mine", "--alpha=3"], {}).model_name == "model"


def test_the_parser_is_fit_for_a_parent():
    author = argparse.ArgumentParser(parents=[parser({})])
    author.add_argument("--alpha", type=float)
    known = author.parse_args(["--alpha=2", "--model_name=m"])
    assert (known.alpha, known.model_name) == (2.0, "m")


@pytest.mark.parametrize(
    "bad",
    ["--workers=0", "--http_port=70000", "--enable_grpc=maybe", "--grace_period=nan", "--max_asyncio_workers=x"],
)
def test_bad_values_are_refused(bad, capsys):
    with pytest.raises(SystemExit):
        parse([bad], {})
    assert bad.partition("=")[0] in capsys.readouterr().err


def test_a_bad_value_in_the_environment_is_refused_too():
    with pytest.raises(SystemExit):
        parse([], {"MODELWRIGHT_WORKERS": "many"})


def test_batching_is_off_unless_asked_for():
    arguments = parse([], {})
    assert (arguments.max_batch_size, arguments.max_batch_latency_ms, arguments.batch_timeout) == (1, 5.0, 60.0)
    arguments = parse(["--max_batch_size=32", "--max_batch_latency_ms=0.5"], {"MODELWRIGHT_BATCH_TIMEOUT": "30"})
    assert (arguments.max_batch_size, arguments.max_batch_latency_ms, arguments.batch_timeout) == (32, 0.5, 30.0)


@pytest.mark.parametrize(
    ("flag", "value", "remedy"),
    [
        ("--max_batch_size", "0", "'0' is no whole number of at least 1"),
        ("--max_batch_latency_ms", "-1", "'-1' is no number of milliseconds of at least 0"),
        ("--max_batch_latency_ms", "soon", "'soon' is no number of milliseconds of at least 0"),
        ("--batch_timeout", "0", "'0' is no number of seconds above 0"),
    ],
)
def test_a_bad_number_for_batching_is_refused(capsys, flag, value, remedy):
    with pytest.raises(SystemExit) as ended:
        parse([f"{flag}={value}"], {})
    assert ended.value.code == 2
    assert f"argument {flag}: {remedy}" in capsys.readouterr().err


def test_kserve_s_variables_name_the_certificate_and_its_port_follows():
    named = {"KSERVE_TLS_CERT_FILE": "/tls/tls.crt", "KSERVE_TLS_KEY_FILE": "/tls/tls.key"}
    given = parse([], named)
    assert (given.ssl_certfile, given.ssl_keyfile, given.http_port) == ("/tls/tls.crt", "/tls/tls.key", 8443)
    assert parse(["--http_port=8080"], named).http_port == 8443
    assert parse(["--http_port=9000"], named).http_port == 9000
    assert parse([], {"KSERVE_TLS_CERT_FILE": "/tls/tls.crt"}).http_port == 8080
    assert parse(["--ssl_certfile=/other.crt"], named).ssl_certfile == "/other.crt"
