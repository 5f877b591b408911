"""Settings: read from the environment, refused where they cannot work, documented without exception."""

import ast
import inspect
import itertools

import pytest
from modelwright_operator import settings as module
from modelwright_operator.addresses import host
from modelwright_operator.settings import Settings
from pydantic import ValidationError


def test_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWRIGHT_NAMESPACES", "a, b")
    monkeypatch.setenv("MODELWRIGHT_ROUTE_KIND", "HTTPRoute")
    monkeypatch.setenv("MODELWRIGHT_STORAGE_INITIALIZER_COMMAND", '["fetch", "-v"]')
    settings = Settings()
    assert settings.namespaces == ("a", "b")
    assert settings.route_kind == "HTTPRoute"
    assert settings.storage_initializer_command == ("fetch", "-v")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"domain_template": "{{.Name}}.{{.Domain}}"}, "unknown placeholder"),
        ({"domain_template": "{{.Namespace}}.x"}, "share one host"),
        ({"domain_template": "{{ .Name | upper }}.x"}, "plain placeholders"),
        ({"route_kind": "Route"}, "route_kind"),
        ({"retry_initial_seconds": 9, "retry_max_seconds": 1}, "retry_max_seconds"),
    ],
)
def test_a_value_that_cannot_work_is_refused_with_the_reason(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings(**values)  # type: ignore[arg-type]


def test_the_domain_template_may_have_spaces_and_any_order() -> None:
    settings = Settings(domain_template="{{ .Namespace }}.{{.Name}}.{{.IngressDomain}}", ingress_domain="x.org")
    assert host("m", "ns", settings) == "ns.m.x.org"


def test_every_setting_is_documented() -> None:
    body = ast.parse(inspect.getsource(module)).body
    fields = next(node for node in body if isinstance(node, ast.ClassDef)).body
    for field, after in itertools.pairwise(fields):
        if isinstance(field, ast.AnnAssign):
            documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            assert documented, f"{ast.unparse(field.target)} has no docstring below it"
