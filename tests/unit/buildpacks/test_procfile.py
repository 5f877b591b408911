"""Procfile lines become processes that a container's own arguments can be appended to."""

import subprocess

import pytest

from buildpacks.python.buildpack import procfile
from buildpacks.python.buildpack.errors import BuildpackError


def test_every_type_is_read_in_order_and_comments_are_not() -> None:
    text = "# how it starts\n\nweb: python -m model\nworker :  python work.py \n"

    assert list(procfile.parse(text).items()) == [("web", "python -m model"), ("worker", "python work.py")]


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("python -m model", ["python", "-m", "model"]),
        ("python -m model --name 'two words'", ["python", "-m", "model", "--name", "two words"]),
        ("uvicorn model:app --host=0.0.0.0", ["uvicorn", "model:app", "--host=0.0.0.0"]),
    ],
)
def test_a_plain_line_is_its_own_words(line: str, argv: list[str]) -> None:
    assert procfile.argv("web", line) == argv


@pytest.mark.parametrize(
    "line",
    [
        "python -m model --http_port $PORT",
        "cd src && python -m model",
        "LOG=debug python -m model",
        "python model.py | tee log",
        "x ~/m",
    ],
)
def test_a_line_that_needs_a_shell_gets_one(line: str) -> None:
    assert procfile.argv("web", line) == ["bash", "-c", f'{line} "$@"', "web"]


def test_arguments_reach_a_shell_line_unsplit() -> None:
    command = procfile.argv("web", "GREETING=hello; printf '%s|' $GREETING")

    printed = subprocess.run([*command, "--workers", "two words"], capture_output=True, text=True, check=True)

    assert printed.stdout == "hello|--workers|two words|"


def test_an_unbalanced_quote_is_left_to_the_shell_to_word() -> None:
    assert procfile.argv("web", "python -m 'model")[0] == "bash"


def test_a_line_without_a_colon_is_refused_by_number() -> None:
    with pytest.raises(BuildpackError, match=r"Procfile, line 2 .*web: python -m model"):
        procfile.parse("web: python -m model\npython -m other\n")


def test_a_type_given_twice_is_refused() -> None:
    with pytest.raises(BuildpackError, match="`web` twice"):
        procfile.parse("web: a\nweb: b\n")


@pytest.mark.parametrize(("text", "found"), [("worker: python w.py\n", "only: worker"), ("", "The file is empty")])
def test_without_web_the_remedy_shows_the_line_to_add(text: str, found: str) -> None:
    with pytest.raises(BuildpackError, match=f"{found}.*web: python -m model"):
        procfile.require_default(procfile.parse(text))
