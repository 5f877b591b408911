"""Subclasses of kserve's OpenAI models, under kserve's own server and under ours."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.conformance import vllm_types
from tests.conformance.kserve_servers import MODELS, ROOT, RUN, Server, free_port

FLAGS = ["--enable_grpc=false"]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    folder = tmp_path_factory.mktemp("adapted")
    vllm_types.write(folder / "site")
    started = [start(folder, kserve) for kserve in ("genuine", "twin")]
    try:
        for each in started:
            each.wait()
        yield started[0], started[1]
    finally:
        for each in started:
            each.process.kill()
            each.process.wait()


def start(folder, kserve: str) -> Server:
    port, log = free_port(), folder / f"{kserve}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*RUN, "python", "-m", "adapted", f"--http_port={port}", *FLAGS], cwd=MODELS, stdout=output, stderr=output,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'runtimes'}:{folder / 'site'}", "MODELWRIGHT_KSERVE": kserve},
        )  # fmt: skip
    return Server(port, process, log)


def without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


CHAT = {"model": "adapter", "messages": [{"role": "user", "content": "hello world"}]}
PROMPT = {"model": "adapter", "prompt": "hello world"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("chat/completions", CHAT),
        ("completions", PROMPT),
        ("embeddings", {"model": "encoder", "input": "abc"}),
    ],
)
def test_whole_answers_are_the_same(servers, path, body):
    theirs, ours = (each.ask(f"/openai/v1/{path}", json.dumps(body).encode()) for each in servers)
    assert (theirs[0], ours[0]) == (200, 200), ours
    # FastAPI leaves nulls in or out as its version does.
    assert without_nulls(json.loads(ours[2])) == without_nulls(json.loads(theirs[2]))


@pytest.mark.parametrize(("path", "body"), [("chat/completions", CHAT), ("completions", PROMPT)])
def test_chunks_are_the_same(servers, path, body):
    def chunks(answer: bytes) -> list[object]:
        lines = [line.removeprefix(b"data: ") for line in answer.split(b"\n\n") if line]
        return [line if line == b"[DONE]" else without_nulls(json.loads(line)) for line in lines]

    sent = json.dumps({**body, "stream": True}).encode()
    theirs, ours = (each.ask(f"/openai/v1/{path}", sent) for each in servers)
    assert (theirs[0], ours[0]) == (200, 200), ours
    assert theirs[1]["content-type"] == ours[1]["content-type"]
    assert chunks(ours[2]) == chunks(theirs[2])


@pytest.mark.parametrize("prompt", ["raise", "return"])
def test_errors_of_kserves_have_the_same_status_and_message(servers, prompt):
    sent = json.dumps({**PROMPT, "prompt": prompt}).encode()
    theirs, ours = (each.ask("/openai/v1/completions", sent) for each in servers)
    assert theirs[0] == ours[0] == 400
    assert json.loads(theirs[2])["error"]["message"] == json.loads(ours[2])["error"]["message"]


def test_a_request_that_kserves_types_refuse_is_a_400_that_names_the_field(servers):
    _, ours = servers
    status, _, body = ours.ask("/openai/v1/completions", json.dumps({**PROMPT, "prompt": ["a", "b"]}).encode())
    assert status == 400
    assert "prompt" in json.loads(body)["error"]["message"]


def test_the_models_are_listed_and_have_no_other_protocol(servers):
    theirs, ours = (json.loads(each.ask("/openai/v1/models")[2]) for each in servers)
    assert [model["id"] for model in ours["data"]] == [model["id"] for model in theirs["data"]]
    _, ours = servers
    status, _, body = ours.ask("/v1/models/adapter:predict", b'{"instances": []}')
    assert status == 501
    assert "OpenAI" in json.loads(body)["error"]
    assert json.loads(ours.ask("/v2/models/adapter")[2])["inputs"] == []
