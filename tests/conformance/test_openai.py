"""OpenAI's own Python client against models with its operations, and what it is told when something is wrong."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator

import openai
import pytest

from tests.conformance.kserve_servers import Server, start

PATIENCE_S = 60
HELLO = [{"role": "user", "content": "hello big world"}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start(tmp_path_factory.mktemp("openai"), "chatting", "--enable_grpc=false", kserve="twin")
    yield running
    assert running.stop() == 0


@pytest.fixture(params=["/openai/v1", "/v1"])
def client(server: Server, request: pytest.FixtureRequest) -> Iterator[openai.OpenAI]:
    address = f"http://127.0.0.1:{server.port}{request.param}"
    with openai.OpenAI(base_url=address, api_key="none", max_retries=0, timeout=PATIENCE_S) as made:
        yield made


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def chat(content: object = "hello", **more: object) -> bytes:
    return json.dumps({"model": "async", "messages": [{"role": "user", "content": content}], **more}).encode()


def test_a_chat(client):
    answer = client.chat.completions.create(model="async", messages=HELLO, extra_headers={"x-tenant": "blue"})
    assert answer.choices[0].message.content == "hello big world blue"
    assert (answer.object, answer.model, answer.id) == ("chat.completion", "async", "given")
    assert answer.created > 0


@pytest.mark.parametrize("model", ["async", "sync"])
def test_a_chat_in_chunks(client, model):
    chunks = list(client.chat.completions.create(model=model, messages=HELLO, stream=True))
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["hello", "big", "world"]
    assert {(chunk.object, chunk.model) for chunk in chunks} == {("chat.completion.chunk", model)}
    assert len({chunk.id for chunk in chunks}) == 1


async def test_the_asynchronous_client(server):
    async with openai.AsyncOpenAI(
        base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none", max_retries=0
    ) as client:
        stream = await client.chat.completions.create(model="async", messages=HELLO, stream=True)
        assert [chunk.choices[0].delta.content async for chunk in stream] == ["hello", "big", "world"]


def test_completions_whole_and_in_chunks(client):
    whole = client.completions.create(model="async", prompt="hello world")
    assert (whole.choices[0].text, whole.object) == ("HELLO WORLD", "text_completion")
    chunks = client.completions.create(model="async", prompt="hello world", stream=True)
    assert [chunk.choices[0].text for chunk in chunks] == ["hello", "world"]


@pytest.mark.parametrize("more", [{}, {"encoding_format": "float"}, {"encoding_format": "base64"}])
def test_embeddings_in_the_encoding_that_was_asked_for(client, more):
    answer = client.embeddings.create(model="sync", input=["a", "bcd"], **more)
    assert answer.object == "list"
    assert answer.usage.total_tokens == 2
    if more.get("encoding_format") == "base64":
        assert answer.data[1].embedding == "AABAQAAAAD8="
    else:
        assert [item.embedding for item in answer.data] == [[1.0, 0.5], [3.0, 0.5]]


def test_models(client, server):
    assert [model.id for model in client.models.list()] == ["async", "sync"]
    # KServe's own answer is still in it.
    assert json.loads(server.ask("/v1/models")[2])["models"] == ["async", "sync"]
    assert json.loads(server.ask("/openai/v1/models/async")[2])["object"] == "model"


def test_a_model_that_offers_none_leaves_kserves_list_as_it_is(tmp_path):
    running = start(tmp_path, "streaming", "--enable_grpc=false", kserve="twin")
    try:
        assert json.loads(running.ask("/v1/models")[2]) == {"models": ["async", "sync", "tensors", "whole"]}
        assert json.loads(running.ask("/openai/v1/models")[2]) == {"object": "list", "data": []}
        status, _, body = running.ask("/openai/v1/chat/completions", chat())
        assert status == 400
        assert "none of OpenAI's operations" in json.loads(body)["error"]["message"]
    finally:
        running.stop()


def test_the_models_other_protocols_stay(server):
    status, _, body = server.ask("/v1/models/async:predict", b'{"instances": [1, 2]}')
    assert (status, json.loads(body)) == (200, {"predictions": [2]})


def test_errors_are_the_clients_own_exceptions(client):
    def asking(content: str, model: str = "async", **more: object) -> None:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}], **more)

    with pytest.raises(openai.BadRequestError, match="not this word") as refused:
        asking("refuse")
    assert refused.value.type == "invalid_request_error"
    with pytest.raises(openai.BadRequestError, match="the prompt is too long"):
        asking("error")
    with pytest.raises(openai.RateLimitError, match="too many tokens") as limited:
        asking("limit")
    assert limited.value.code == "rate_limit_exceeded"
    with pytest.raises(openai.NotFoundError, match="nobody") as unknown:
        asking("hello", model="nobody")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError, match="does not offer embeddings"):
        client.embeddings.create(model="async", input="a")
    with pytest.raises(openai.BadRequestError, match="'temperature'") as wrong:
        asking("hello", temperature="hot")
    assert wrong.value.param == "temperature"


def test_the_authors_exceptions_stay_in_the_log(client, server):
    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(model="async", messages=[{"role": "user", "content": "boom"}])
    assert "weights" not in str(failed.value)
    assert failed.value.type == "server_error"
    assert f"requestId: {failed.value.request_id}" in server.log.read_text()
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="async", messages=[{"role": "user", "content": "boom"}], stream=True)
    with pytest.raises(openai.InternalServerError, match="int"):
        client.completions.create(model="sync", prompt="a")
    with pytest.raises(openai.InternalServerError, match="in chunks"):
        client.chat.completions.create(model="sync", messages=HELLO)


def test_an_error_in_the_middle_ends_the_chunks(client):
    messages = [{"role": "user", "content": "hello boom"}]
    stream = client.chat.completions.create(model="async", messages=messages, stream=True)
    assert next(stream).choices[0].delta.content == "hello"
    with pytest.raises(openai.APIError, match="the model failed"):
        next(stream)


def test_a_whole_answer_to_who_asked_for_chunks_is_one_chunk(client):
    messages = [{"role": "user", "content": "whole thing"}]
    (chunk,) = client.chat.completions.create(model="async", messages=messages, stream=True)
    assert (chunk.choices[0].delta.content, chunk.choices[0].finish_reason) == ("whole thing", "stop")
    assert chunk.object == "chat.completion.chunk"


def test_the_stream_ends_with_done(server):
    status, headers, body = server.ask("/v1/chat/completions", chat("a", stream=True))
    assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert body.endswith(b"}\n\ndata: [DONE]\n\n")


@pytest.mark.parametrize("body", [chat("hello wait", stream=True), chat("linger")], ids=["chunks", "whole"])
def test_a_client_that_leaves_ends_the_work(server, body):
    closed, begun = (server.log.read_text().count(text) for text in ("closed chat", "begun chat"))
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as connection:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        until(lambda: server.log.read_text().count("begun chat") > begun)
    until(lambda: server.log.read_text().count("closed chat") > closed)


@pytest.mark.parametrize(
    ("path", "body", "param", "said"),
    [
        ("chat/completions", b"", None, "empty"),
        ("chat/completions", b"[]", None, "JSON object"),
        ("chat/completions", b'{"messages": []}', "model", "no 'model'"),
        ("chat/completions", b'{"model": 3, "messages": []}', "model", "a string"),
        ("chat/completions", b'{"model": "async"}', "messages", "no 'messages'"),
        ("chat/completions", b'{"model": "async", "messages": []}', "messages", "at least one"),
        ("chat/completions", b'{"model": "async", "messages": "hi"}', "messages", "a list"),
        ("chat/completions", b'{"model": "async", "messages": ["hi"]}', "messages[0]", "an object"),
        ("chat/completions", b'{"model": "async", "messages": [{"content": "hi"}]}', "messages[0].role", "role"),
        ("chat/completions", chat(3), "messages[0].content", "the number 3"),
        ("chat/completions", chat(["hi"]), "messages[0].content[0]", "an object"),
        ("chat/completions", chat(stream="yes"), "stream", "true or false"),
        ("chat/completions", chat(n=1.5), "n", "a whole number"),
        ("chat/completions", chat(n=True), "n", "a whole number"),
        ("chat/completions", chat(stop=[1]), "stop[0]", "a string"),
        ("chat/completions", chat(stop=1), "stop", "a string"),
        ("chat/completions", chat(tools={}), "tools", "a list"),
        ("completions", b'{"model": "async"}', "prompt", "no 'prompt'"),
        ("completions", b'{"model": "async", "prompt": [1, "a"]}', "prompt", "a list of strings"),
        ("completions", b'{"model": "async", "prompt": []}', "prompt", "a list of strings"),
        ("completions", b'{"model": "async", "prompt": "a", "max_tokens": "9"}', "max_tokens", "a whole number"),
        ("embeddings", b'{"model": "sync"}', "input", "no 'input'"),
        ("embeddings", b'{"model": "sync", "input": {}}', "input", "a list of strings"),
        ("embeddings", b'{"model": "sync", "input": "a", "encoding_format": "hex"}', "encoding_format", "base64"),
    ],
)
def test_bad_input_is_a_400_that_names_the_field(server, path, body, param, said):
    status, headers, answer = server.ask(f"/v1/{path}", body)
    assert (status, headers["content-type"]) == (400, "application/json")
    error = json.loads(answer)["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert said in error["message"]


def test_the_wrong_method_and_the_deadline(server):
    status, headers, body = server.ask("/v1/chat/completions")
    assert (status, headers["allow"]) == (405, "POST")
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
    headers = {"content-type": "application/json", "x-request-timeout": "4"}
    body = server.ask("/v1/chat/completions", chat("hello wait", stream=True), headers)[2]
    *_, last = body.decode().removesuffix("\n\n").split("\n\n")
    assert "time that the caller allowed" in json.loads(last.removeprefix("data: "))["error"]["message"]


def test_tokens_are_taken_for_a_prompt(server):
    body = json.dumps({"model": "sync", "input": [[1, 2], [3]]}).encode()
    answer = json.loads(server.ask("/openai/v1/embeddings", body)[2])
    assert [item["embedding"][0] for item in answer["data"]] == [2, 1]
