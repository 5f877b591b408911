"""Methods under `custom_handler`: where their arguments come from, and what their results become."""

from __future__ import annotations

import json

import pytest
from modelwright.errors import InvalidInput, ModelNotFound, Unprocessable
from modelwright.model import HttpRequest, Model

from tests.unit.styles.mlserver.authors import loaded, run

MODEL = """
from typing import List, Optional
from mlserver.errors import MLServerError
from starlette.requests import Request
from starlette.responses import PlainTextResponse

class M(MLModel):
    @custom_handler(rest_path="/sum")
    async def total(self, payload: list) -> int:
        return sum(payload)

    @custom_handler(rest_path="/typed")
    async def typed(self, payload: List[int], times: int = 2) -> dict:
        return {"total": np.int64(sum(payload) * times)}

    @custom_handler(rest_path="/items/{name}/{number}", rest_method="get")
    def item(self, name: str, number: int, flag: Optional[bool] = None, other="x") -> list:
        return [name, number, flag, other]

    @custom_handler(rest_path="/infer")
    async def own_infer(self, request: InferenceRequest) -> InferenceResponse:
        return InferenceResponse(model_name="m", outputs=[StringCodec.encode_output("o", [request.inputs[0].name])])

    @custom_handler(rest_path="/raw")
    async def raw(self, request: Request) -> PlainTextResponse:
        body = await request.body()
        said = f"{request.method} {request.query_params['q']} {request.headers['x-a']} {body.decode()}"
        return PlainTextResponse(said, 202, headers={"x-b": "c"})

    @custom_handler(rest_path="/two")
    async def two(self, a: dict, b: Optional[dict] = None) -> dict:
        return {"a": a, "b": b}

    @custom_handler(rest_path="/fail")
    async def fail(self):
        raise MLServerError("gone", 404)
"""


@pytest.fixture
def model(tmp_path) -> Model:
    return loaded(tmp_path, MODEL)


def ask(model: Model, route: str, body: object = None, query: str = "", **parts: str):
    (found,) = [each for each in model.own_routes if each.path == route]
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = HttpRequest(found.method, route, parts, query, {"x-a": "1"}, content)
    return run(found.answer(request))


def test_routes_are_those_of_the_methods(model) -> None:
    assert ("GET", "/items/{name}/{number}") in [(each.method, each.path) for each in model.own_routes]
    assert len(model.own_routes) == 7


@pytest.mark.parametrize(
    ("route", "body", "query", "expected"),
    [
        ("/sum", [1, 2], "", 3),
        ("/typed", [1, 2], "times=5", {"total": 15}),
        ("/two", {"a": {"x": 1}}, "", {"a": {"x": 1}, "b": None}),
        (
            "/infer",
            {"inputs": [{"name": "i", "shape": [1], "datatype": "BOOL", "data": [True]}]},
            "",
            {
                "model_name": "m",
                "outputs": [
                    {
                        "name": "o",
                        "shape": [1, 1],
                        "datatype": "BYTES",
                        "data": ["i"],
                        "parameters": {"content_type": "str"},
                    }
                ],
            },
        ),
    ],
)
def test_bodies(model, route, body, query, expected) -> None:
    answer = ask(model, route, body, query)
    assert (answer.status, json.loads(answer.body)) == (200, expected)
    assert answer.headers["content-type"] == "application/json"


def test_paths_and_queries(model) -> None:
    answer = ask(model, "/items/{name}/{number}", query="flag=yes&flag=off", name="a", number="5")
    assert json.loads(answer.body) == ["a", 5, False, "x"]


def test_starlettes_request_and_response(model) -> None:
    answer = ask(model, "/raw", b"body", "q=2")
    assert (answer.status, answer.body, answer.headers["x-b"]) == (202, b"POST 2 1 body", "c")


@pytest.mark.parametrize(
    ("route", "body", "parts", "kind", "message"),
    [
        ("/sum", None, {}, Unprocessable, "body parameter 'payload' is missing"),
        ("/sum", {"a": 1}, {}, Unprocessable, "'payload' must be list, not dict"),
        ("/sum", b"{", {}, InvalidInput, "not valid JSON"),
        ("/infer", {"inputs": [{}]}, {}, Unprocessable, "the body is no InferenceRequest"),
        ("/two", [1], {}, Unprocessable, "body parameter 'a' is missing"),
        ("/items/{name}/{number}", None, {"name": "a", "number": "b"}, Unprocessable, "'number' must be int, not 'b'"),
        ("/fail", None, {}, ModelNotFound, "gone"),
    ],
)
def test_refusals(model, route, body, parts, kind, message) -> None:
    with pytest.raises(kind, match=message):
        ask(model, route, body, **parts)


def test_what_only_fastapi_fills_fastapi_fills(tmp_path) -> None:
    source = """
    from typing import Annotated
    from fastapi import Depends, Header, HTTPException

    def twice(n: int = 1) -> int:
        return 2 * n

    class M(MLModel):
        @custom_handler(rest_path="/x/{name}", rest_method="get")
        async def x(self, name: str, a: Annotated[str, Header(alias="x-a")], n: int = Depends(twice)) -> dict:
            if name == "wrong":
                raise KeyError(name)
            if name == "no":
                raise HTTPException(409, "not now")
            return {"said": [self.name, name, a, n]}
    """
    model = loaded(tmp_path, source)
    (route,) = model.own_routes

    def asked(name: str, query: str = "n=2"):
        request = HttpRequest("GET", f"/x/{name}", {"name": name}, query, {"x-a": "1"}, b"")
        return run(route.answer(request))

    answer = asked("ada")
    assert (answer.status, json.loads(answer.body)) == (200, {"said": [model.name, "ada", "1", 4]})
    assert answer.headers["content-type"] == "application/json"
    assert (asked("no").status, json.loads(asked("no").body)) == (409, {"detail": "not now"})
    assert json.loads(asked("ada", "n=two").body)["detail"][0]["loc"] == ["query", "n"]
    with pytest.raises(KeyError, match="wrong"):
        asked("wrong")
