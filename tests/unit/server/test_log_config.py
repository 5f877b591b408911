"""Log configurations that name uvicorn, as those that were written for kserve do."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from modelwright.server import log, log_config
from modelwright.server.arguments import Arguments
from modelwright.server.rest.access_log import AccessLog
from uvicorn.logging import AccessFormatter

CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "uvicorn": {"()": "uvicorn.logging.DefaultFormatter", "fmt": "%(levelprefix)s %(message)s", "use_colors": None},
        "uvicorn_access": {
            "()": "uvicorn.logging.AccessFormatter",
            "fmt": "%(levelprefix)s %(client_addr)s [%(request_line)s] %(status_code)s",
        },
    },
    "handlers": {
        name: {"formatter": name, "class": "logging.StreamHandler", "stream": "ext://sys.stderr"}
        for name in ("uvicorn", "uvicorn_access")
    },
    "loggers": {
        "uvicorn": {"handlers": ["uvicorn"], "level": "INFO", "propagate": False},
        "uvicorn.access": {"handlers": ["uvicorn_access"], "level": "INFO", "propagate": False},
    },
}
REQUEST = SimpleNamespace(method="GET", path="/v1/models/ü", query=b"a=1", version="1.1", client=("10.0.0.7", 4711))


@pytest.fixture(autouse=True)
def _loggers_as_they_were():
    loggers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.access")]
    before = [(each.handlers, each.propagate, each.level) for each in loggers]
    yield
    for each, (handlers, propagate, level) in zip(loggers, before, strict=True):
        each.handlers, each.propagate = handlers, propagate
        each.setLevel(level)


def test_access_lines_are_what_uvicorns_own_formatter_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "log.json"
    file.write_text(json.dumps(CONFIG))
    log.configure(Arguments(configure_logging=False))
    assert not AccessLog(Arguments()).on
    log.configure(Arguments(log_config_file=str(file)))
    access_log = AccessLog(Arguments())
    assert access_log.on
    access_log.write(REQUEST, 200, [], b"", 0.1)
    logging.getLogger("uvicorn").warning("a word")
    theirs = AccessFormatter(CONFIG["formatters"]["uvicorn_access"]["fmt"], use_colors=False)
    record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', None, None)
    record.args = ("10.0.0.7:4711", "GET", "/v1/models/%C3%BC?a=1", "1.1", 200)
    assert capsys.readouterr().err.splitlines() == [theirs.format(record), "WARNING:  a word"]


def test_a_configuration_stays_as_its_author_wrote_it():
    config = json.loads(json.dumps(CONFIG))
    log_config.apply(config)
    assert config == CONFIG


def test_no_configuration_needs_no_reader_of_them():
    code = (
        "import sys; from modelwright.styles.kserve import hook; hook.install(); from kserve import logging; "
        "logging.configure_logging(); from modelwright.server import log; from modelwright.server.arguments import "
        "Arguments; log.configure(Arguments()); print('logging.config' in sys.modules)"
    )
    environment = {"PYTHONPATH": str(Path(log.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert (done.stdout.strip(), done.returncode) == ("False", 0), done.stderr
