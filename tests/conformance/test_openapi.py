"""`/openapi.json` is valid and whole, and what it says is held by the server that it describes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from modelwright.server.rest.routes import Action, route
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi import checks as openapi_checks
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from tests.conformance.server_process import Server

# What a route may refuse as a server: not offered by the model, not ready, the caller's own deadline.
MEANT = {501, 503, 504}
CHECKS = [
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.unsupported_method,
]
EXAMPLES = settings(
    max_examples=10,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
OPERATIONS = [
    f"{method} {path}"
    for model in ("sum", "an%20echo%2C%20%C3%BC")
    for method, path in [
        ("GET", f"/v1/models/{model}"),
        ("POST", f"/v1/models/{model}:predict"),
        ("POST", f"/v1/models/{model}:explain"),
        ("GET", f"/v2/models/{model}"),
        ("GET", f"/v2/models/{model}/ready"),
        *(("POST", f"/v2/models/{model}/{verb}") for verb in ("infer", "infer_stream", "generate", "generate_stream")),
    ]
]
OPERATIONS += [f"POST /{prefix}v1/chat/completions" for prefix in ("openai/", "")]
OPERATIONS += ["POST /v1/embeddings", "POST /openai/v1/completions", "GET /openai/v1/models/sum"]
OPERATIONS += [
    f"GET {path}"
    for path in (
        "/",
        "/v2",
        "/v2/health/ready",
        "/v2/models",
        "/v1/models",
        "/openapi.json",
        "/docs",
        "/openai/v1/models",
    )
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("openapi"), "--enable_docs_url=true", models="openapi_models")
    try:
        yield running.wait_until_serving()
    finally:
        running.kill()


@pytest.fixture(scope="module")
def page(server):
    return server.ask("GET", "/openapi.json").json


@pytest.fixture(scope="module")
def described(server, page):
    load_all_checks()
    schema = schemathesis.openapi.from_dict(page)
    schema.config.update(base_url=f"http://127.0.0.1:{server.port}")
    return {each.ok().label: each.ok() for each in schema.get_all_operations()}


def test_it_is_valid_openapi(page):
    assert page["openapi"] == "3.1.0"
    OPENAPI_31_VALIDATOR.validate(page)


def test_it_names_every_route_with_its_method(page):
    described = {}
    for path, methods in page["paths"].items():
        found = route(unquote(path))
        assert found is not None, path
        assert set(methods) == {found.method.lower()}, path
        described[found.action] = path
    # The models' own routes are described by the models that bring them.
    assert set(described) == set(Action) - {Action.OWN}


def test_it_has_what_a_model_declares(page):
    for path in ("/v2/models/sum/infer", "/v2/models/sum/versions/1/infer"):
        operation = page["paths"][path]["post"]
        inputs = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]["inputs"]
        x, k = (each["properties"] for each in inputs["items"]["anyOf"])
        assert (inputs["minItems"], inputs["maxItems"]) == (2, 2)
        assert (x["name"], x["datatype"]) == ({"const": "x"}, {"const": "FP32"})
        assert x["shape"]["prefixItems"] == [{"type": "integer", "minimum": 0}, {"const": 4}]
        assert k["data"]["items"]["anyOf"][0] == {"type": "integer", "minimum": -128, "maximum": 127}
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["outputs"]
        assert answer["items"]["properties"]["name"] == {"const": "total"}


@pytest.mark.parametrize("name", ["sum", "an%20echo%2C%20%C3%BC"])
@pytest.mark.parametrize("verb", ["v2/models/{}/infer", "v2/models/{}/generate", "v1/models/{}:predict"])
def test_its_examples_are_answered(server, page, name, verb):
    path = "/" + verb.format(name)
    body = page["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["examples"][0]
    reply = server.ask("POST", path, body)
    assert reply.status == 200, reply.body


@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("label", OPERATIONS)
def test_the_server_does_what_it_says(described, server, label, mode):
    operation = described[label]
    if mode == "negative" and not operation.definition.raw.get("requestBody"):
        return
    session = requests.Session()
    session.trust_env = False

    @EXAMPLES
    @given(case=operation.as_strategy(schemathesis.GenerationMode(mode)))
    def hold(case):
        answer = case.call(session=session, timeout=30)
        assert answer.status_code < 500 or answer.status_code in MEANT, (answer.status_code, answer.text)
        case.validate_response(answer, checks=CHECKS)

    hold()


def test_the_docs_page_is_whole_in_itself(server):
    reply = server.ask("GET", "/docs")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = reply.body.decode()
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text)
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert 'fetch("openapi.json")' in text


def test_the_docs_page_is_off_unless_it_was_asked_for(start):
    server = start(models="openapi_models").wait_until_serving()
    reply = server.ask("GET", "/docs")
    assert (reply.status, "--enable_docs_url" in reply.json["error"]) == (404, True)
    assert json.loads(server.ask("GET", "/openapi.json").body)["openapi"] == "3.1.0"
