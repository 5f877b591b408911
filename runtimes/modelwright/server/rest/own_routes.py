"""HTTP routes that models bring themselves, besides the protocols' routes, which come first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from modelwright.model import HttpAnswer, HttpRequest, Model, OwnRoute
from modelwright.server.rest.routes import Action, Route, route

_PART = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(:path)?\}")


class RouteTaken(Exception):
    """A route that a model brings is the protocols', or another model's; the message names both."""


@dataclass(frozen=True, slots=True)
class Found:
    """A model's route that a path is of, and the values of the parts in braces."""

    model: Model
    route: OwnRoute
    parameters: dict[str, str]

    def route_for(self, path: str, query: str) -> Route:
        """Give the route of one request."""

        async def answer(headers: dict[str, str], body: bytes) -> HttpAnswer:
            asked = HttpRequest(self.route.method, path, self.parameters, query, headers, body)
            return await self.route.answer(asked)

        return Route(Action.OWN, self.model.name, own=answer)


def check(models: Iterable[Model]) -> None:
    """Hold the models' routes against each other and against the protocols'.

    Raises:
        RouteTaken: two of them are one.

    """
    taken: dict[tuple[str, str], str] = {}
    for model in models:
        for own in model.own_routes:
            path = _PART.sub("x", own.path)
            if not path.startswith("/") or route(path) is not None:
                raise RouteTaken(
                    f"model {model.name!r} brings the route {own.path!r}, which is the server's or does not begin with "
                    "'/': give it another path"
                )
            other = taken.setdefault((own.method, _PART.sub("{}", own.path)), model.name)
            if other != model.name:
                raise RouteTaken(f"models {other!r} and {model.name!r} both bring {own.method} {own.path}: rename one")


def find(models: Iterable[Model], method: str, path: str) -> Found | list[str]:
    """Give the route for a decoded path, or the methods, none or several, that the path answers instead."""
    methods: list[str] = []
    for model in models:
        for own in model.own_routes:
            match = _pattern(own.path).fullmatch(path)
            if match is None:
                continue
            if own.method == method:
                return Found(model, own, match.groupdict())
            methods.append(own.method)
    return methods


@lru_cache(maxsize=256)
def _pattern(path: str) -> re.Pattern[str]:
    """Read a path of which `{name}` is one part, and `{name:path}` the rest."""
    pattern, end = "", 0
    for part in _PART.finditer(path):
        whole = ".+" if part[2] else "[^/]+"
        pattern += f"{re.escape(path[end : part.start()])}(?P<{part[1]}>{whole})"
        end = part.end()
    return re.compile(pattern + re.escape(path[end:]))
