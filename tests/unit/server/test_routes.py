from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright.model import OpenAIOperation
from modelwright.server.rest.routes import Action, Route, Routes, route, shown


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", Route(Action.ROOT)),
        ("/v1/models/m", Route(Action.V1_MODEL, "m")),
        ("/v1/models/m:predict", Route(Action.PREDICT, "m")),
        ("/v1/models/a:b:explain", Route(Action.EXPLAIN, "a:b")),
        ("/v2/models/m", Route(Action.V2_MODEL, "m")),
        ("/v2/models/m/infer", Route(Action.INFER, "m")),
        ("/v2/models/m/versions/2/infer", Route(Action.INFER, "m", "2")),
        ("/v2/models/m/versions/2", Route(Action.V2_MODEL, "m", "2")),
        ("/v2/models/versions/ready", Route(Action.V2_MODEL_READY, "versions")),
        ("/v2/models/m/infer_stream", Route(Action.INFER_STREAM, "m")),
        ("/v2/models/m/versions/2/generate", Route(Action.GENERATE, "m", "2")),
        ("/v2/models/m/generate_stream", Route(Action.GENERATE_STREAM, "m")),
        ("/v1/chat/completions", Route(Action.OPENAI, operation=OpenAIOperation.CHAT)),
        ("/openai/v1/embeddings", Route(Action.OPENAI, operation=OpenAIOperation.EMBEDDING)),
        ("/openai/v1/models", Route(Action.OPENAI_MODELS)),
        ("/openai/v1/models/org/m", Route(Action.OPENAI_MODEL, "org/m")),
    ],
)
def test_reads(path, expected):
    assert route(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/v3",
        "/v1/chat",
        "/openai/v1/models/",
        "/openai/v1/rerank",
        "/v1/models/",
        "/v1/models/:predict",
        "/v1/models/m:train",
        "/v1/models/a/b:predict",
        "/v2/models/",
        "/v2/models//infer",
        "/v2/models/m/",
        "/v2/models/m/versions",
        "/v2/models/m/versions//infer",
        "/v2/models/m/infer/",
    ],
)
def test_knows_no_such_route(path):
    assert route(path) is None


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_any_path_is_read_and_shown_without_control_characters(path):
    route("/v2/models/" + path)
    assert shown(path).isprintable()


def test_paths_that_callers_make_up_are_not_all_kept() -> None:
    routes = Routes()
    for number in range(2000):
        assert routes.of(f"/v2/models/m{number}/infer") == route(f"/v2/models/m{number}/infer")
        assert routes.of(f"/{number}" + "x" * 1000) is None
    assert len(routes.known) <= 1024
    assert max(map(len, routes.known)) <= 512
    assert routes.of("/v2/models/m1999/infer") is routes.of("/v2/models/m1999/infer")
