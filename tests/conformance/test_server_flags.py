"""kserve's flags do what they say, or say that they do not."""

from __future__ import annotations

import re
import time

from tests.conformance.server_process import Server


def test_the_access_log_has_the_format_that_was_asked_for(start):
    form = '%(m)s %(U)s %(s)s %(b)s "%({x-tenant}i)s" %(D)s'
    server: Server = start(f"--access_log_format={form}").wait_until_serving()
    reply = server.ask("GET", "/v2/health/live", headers={"x-tenant": "blue"})
    until = time.monotonic() + 30
    while (found := re.search(r'GET /v2/health/live (\d+) (\d+) "blue" (\d+)', server.log)) is None:
        # It is written once the answer is on its way.
        assert time.monotonic() < until, server.log
        time.sleep(0.02)
    assert (int(found[1]), int(found[2])) == (200, len(reply.body))
    assert "requestId" not in server.log


def test_a_format_with_an_atom_that_there_is_none_of_ends_the_server_at_once(start):
    server: Server = start("--access_log_format=%(nope)s")
    assert server.process.wait(30) == 1
    assert "--access_log_format: there is no %(nope)s" in server.log


def test_max_threads_says_that_it_has_no_effect_and_what_has(start):
    server: Server = start("--max_threads=8").wait_until_serving()
    assert re.search("--max_threads=8 has no effect.*--model_threads", server.log)
    assert "--max_threads" not in start().wait_until_serving().log


def test_the_repository_is_on_no_public_port(start):
    server: Server = start().wait_until_serving()
    for method, path in [("POST", "/v2/repository/index"), ("POST", "/v2/repository/models/sum/unload")]:
        reply = server.ask(method, path)
        assert (reply.status, "--admin_port" in reply.json["error"]) == (404, True)
    assert server.ask("GET", "/v1/models/sum").status == 200
