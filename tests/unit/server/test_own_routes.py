"""Routes that models bring themselves."""

from __future__ import annotations

import pytest
from modelwright.model import HttpAnswer, HttpRequest, OwnRoute
from modelwright.server.rest import own_routes
from modelwright.server.rest.own_routes import Found, RouteTaken


async def echo(request: HttpRequest) -> HttpAnswer:
    parts = f"{request.method} {request.path} {request.query} {sorted(request.path_parameters.items())}"
    return HttpAnswer(200, parts.encode() + request.body, {})


class Bringing:
    """The part of a model that is looked at here."""

    def __init__(self, name: str, *routes: tuple[str, str]) -> None:
        self.name = name
        self.own_routes = tuple(OwnRoute(method, path, echo) for method, path in routes)


def found(models: list[Bringing], method: str, path: str) -> Found:
    answer = own_routes.find(models, method, path)
    assert isinstance(answer, Found)
    return answer


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("/detect", "/detect", {}),
        ("/a.b/{name}", "/a.b/x y", {"name": "x y"}),
        ("/files/{rest:path}", "/files/a/b", {"rest": "a/b"}),
        ("/{a}/to/{b}", "/1/to/2", {"a": "1", "b": "2"}),
    ],
)
def test_a_path_is_read_by_its_template(template: str, path: str, parameters: dict[str, str]) -> None:
    assert found([Bringing("m", ("POST", template))], "POST", path).parameters == parameters


@pytest.mark.parametrize("path", ["/detect/", "/detectx", "/aXb/1", "/a.b/1/2", "/a.b/"])
def test_another_path_is_none(path: str) -> None:
    assert own_routes.find([Bringing("m", ("POST", "/detect"), ("GET", "/a.b/{name}"))], "POST", path) == []


def test_another_method_is_told_those_that_there_are() -> None:
    models = [Bringing("m", ("POST", "/x"), ("PUT", "/x"))]
    assert own_routes.find(models, "GET", "/x") == ["POST", "PUT"]


async def test_the_model_gets_the_whole_request() -> None:
    route = found([Bringing("m", ("POST", "/a/{b}"))], "POST", "/a/1").route_for("/a/1", "q=1")
    assert (route.model, route.protocol) == ("m", "own")
    assert route.own is not None
    assert (await route.own({}, b"!")).body == b"POST /a/1 q=1 [('b', '1')]!"


@pytest.mark.parametrize("path", ["/v2/models/{name}/infer", "/v1/models", "/metrics", "no-slash"])
def test_the_servers_own_routes_are_not_given_away(path: str) -> None:
    with pytest.raises(RouteTaken, match="model 'm' brings the route"):
        own_routes.check([Bringing("m", ("POST", path))])


def test_two_models_do_not_share_a_route() -> None:
    with pytest.raises(RouteTaken, match=r"models 'a' and 'b' both bring POST /x/{c}: rename one"):
        own_routes.check([Bringing("a", ("POST", "/x/{y}")), Bringing("b", ("POST", "/x/{c}"))])
    own_routes.check([Bringing("a", ("POST", "/x")), Bringing("b", ("GET", "/x"))])
