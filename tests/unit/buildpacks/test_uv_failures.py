"""What uv says, word for word, and what its author is told to do about it."""

import pytest

from buildpacks.python.buildpack.errors import BuildpackError
from buildpacks.python.buildpack.uv import explain

UNKNOWN = """  x No solution found when resolving dependencies:
  ╰─▶ Because nonesuch was not found in the package registry and you require
      nonesuch, we can conclude that your requirements are unsatisfiable.
"""
LOCKED = "error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.\n"
EXTRA = "error: Extra `nope` is not defined in the project's `optional-dependencies` table\n"
NETWORK = """error: Failed to fetch: `https://index.example/simple/numpy/`
  Caused by: error sending request for url (https://index.example/simple/numpy/)
  Caused by: client error (Connect)
  Caused by: invalid peer certificate: UnknownIssuer
"""
COMPILE = "error: Failed to build `oldthing==1.0`\n"


@pytest.mark.parametrize(
    ("output", "title", "remedy"),
    [
        (
            UNKNOWN,
            "requirements.txt names a package that the index does not have",
            "Because nonesuch was not found in the package registry and you require nonesuch",
        ),
        (LOCKED, "uv.lock is out of step", "Run `uv lock`"),
        (EXTRA, "BP_UV_EXTRAS", "optional-dependencies"),
        (NETWORK, "could not be reached", "SSL_CERT_FILE"),
        (COMPILE, "failed (uv exit status 1)", "has a wheel"),
    ],
)
def test_each_failure_gets_its_own_remedy(output: str, title: str, remedy: str) -> None:
    error = explain("requirements.txt", 1, output)

    assert isinstance(error, BuildpackError)
    assert title in error.title
    assert remedy in error.remedy
