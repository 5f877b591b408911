"""Every error that a user of the buildpack can see, each with its remedy. Nothing outside this file words one."""

import re
from collections.abc import Sequence


class BuildpackError(Exception):
    """A build that cannot go on for a reason its author can remove."""

    def __init__(self, title: str, remedy: str) -> None:
        super().__init__(f"{title}: {remedy}")
        self.title = title
        self.remedy = remedy


def no_dependencies_file() -> BuildpackError:
    """Say that no file names packages."""
    return BuildpackError(
        "No requirements: nothing says which packages this folder needs",
        "There is no uv.lock, requirements.txt, environment.yaml, conda.yaml, nor a pyproject.toml with [project].\n"
        "Write a requirements.txt beside the code (an empty one if it needs none).",
    )


def lockfile_alone() -> BuildpackError:
    """Say that uv.lock has no project."""
    return BuildpackError(
        "uv.lock without pyproject.toml", "uv reads both. Add the pyproject.toml that it was made from, or delete it."
    )


def conda_unusable(detail: str) -> BuildpackError:
    """Say what of a conda file has no counterpart; `detail` has file, place and remedy."""
    return BuildpackError("The conda file cannot be installed from", detail)


def link_escapes(link: str, target: str) -> BuildpackError:
    """Say that a link leads out of the folder."""
    return BuildpackError(
        f"{link} is a link that leads out of the folder",
        f"It points at {target}, which would not be in the image. Copy the file into the folder, make the link\n"
        "relative to a file of the folder, or delete it.",
    )


def style_unknown(detail: str) -> BuildpackError:
    """Say why nothing can be started without a Procfile; `detail` is what detection saw."""
    return BuildpackError(
        "No Procfile, and what to serve cannot be told from the files",
        f"{detail}.\nWrite a Procfile with a line such as `web: python -m model` or `web: modelwright serve FILE.py`.",
    )


def nothing_serves() -> BuildpackError:
    """Say that without Procfile and server there is nothing to start."""
    return BuildpackError(
        "No Procfile, and no server to start without one",
        "This image gets no Modelwright server. Write a Procfile with a line such as `web: python -m model`, or\n"
        "remove BP_MODELWRIGHT_SERVER=false.",
    )


def lockfile_out_of_step() -> BuildpackError:
    """uv.lock no longer says what pyproject.toml asks for."""
    return BuildpackError(
        "uv.lock is out of step with pyproject.toml",
        "A change of pyproject.toml was not locked. Run `uv lock` and commit the result.",
    )


def unknown_extras() -> BuildpackError:
    """BP_UV_EXTRAS names something that pyproject.toml does not have."""
    return BuildpackError(
        "BP_UV_EXTRAS names an extra that pyproject.toml does not define",
        "uv names it above. Correct BP_UV_EXTRAS (separated by commas) or add it to [project.optional-dependencies].",
    )


class Unsatisfiable(BuildpackError):
    """The resolver found no set of packages; `reason` is how it says so."""

    def __init__(self, source: str, reason: str) -> None:
        title, remedy = _unsatisfiable(reason)
        super().__init__(title.format(source=source), f"{reason}\n{remedy}")
        self.reason = reason


# What uv says, what that is called, and what to do. The first that fits counts.
UNSATISFIABLE = (
    (
        r"(current|requested) Python version|requires Python|no wheels with a matching Python|Python ABI tag",
        "{source} asks for a version that is not for this Python",
        "Ask for a version of the package that has a release for this Python (the log names it above), or for another\n"
        "Python in runtime.txt.",
    ),
    (
        r"was not found in the package registry|was not found in the provided package locations",
        "{source} names a package that the index does not have",
        "Check the spelling. A package from an index of your own needs UV_INDEX at build time.",
    ),
    (
        r"there (is|are) no versions? of|no version of",
        "{source} asks for a version that does not exist",
        "Check the version; the package's page on the index lists those that there are.",
    ),
    (
        r"parse requirement",
        "{source} has a line that is no requirement",
        "Write it as pip does, such as numpy==2.4.6 or numpy>=2,<3.",
    ),
    (
        "",
        "{source} cannot be satisfied",
        "Allow versions that go together: the two requirements named above exclude each other.",
    ),
)


def _unsatisfiable(reason: str) -> tuple[str, str]:
    return next((title, remedy) for pattern, title, remedy in UNSATISFIABLE if re.search(pattern, reason, re.I))


def server_conflict(source: str, reason: str, wanted: Sequence[str]) -> BuildpackError:
    """Say that the author's packages and the server's cannot be one environment."""
    return BuildpackError(
        f"{source} and Modelwright's server need different versions of a package",
        f"{reason}\nModelwright's server needs {', '.join(filter(None, wanted))}.\n"
        f"Allow these versions in {source}. Where it is kserve that forbids them, delete its line: the server answers\n"
        "`import kserve` by itself. BP_MODELWRIGHT_SERVER=false builds an image without the server.",
    )


def server_missing() -> BuildpackError:
    """Say that the buildpack was not laid out by `make builder`."""
    return BuildpackError(
        "This copy of the buildpack has no model server in it",
        "`make builder` makes a builder whose buildpack has one; build with that builder, or set\n"
        "BP_MODELWRIGHT_SERVER=false for an image without Modelwright's server.",
    )


def switch_unreadable(name: str, value: str) -> BuildpackError:
    """Say that a build-time switch is neither on nor off."""
    return BuildpackError(f"{name} is neither true nor false", f"It is {value!r}. Write {name}=true or {name}=false.")


def install_failed(source: str, status: int) -> BuildpackError:
    """Say that uv failed for a reason that is neither resolution nor the network."""
    return BuildpackError(
        f"Installing the packages of {source} failed (uv exit status {status})",
        "uv's own words are above. If a package has to be compiled, pin a version that has a wheel for this platform.",
    )


def index_unreachable() -> BuildpackError:
    """Say that the package index did not answer, or its certificate is not trusted."""
    return BuildpackError(
        "The package index could not be reached",
        "uv's own words are above. Behind a proxy set HTTPS_PROXY for the build; behind one\n"
        "that re-signs TLS mount its CA bundle and "
        "set SSL_CERT_FILE (`python -m buildpacks.build` hands over the host's own).",
    )


def index_refuses(status: str) -> BuildpackError:
    """Say that the package index answers, but not to us."""
    return BuildpackError(
        f"The package index refuses to answer (HTTP {status})",
        "uv's own words are above. Give the build an index's name and password as UV_INDEX_<NAME>_USERNAME and\n"
        "UV_INDEX_<NAME>_PASSWORD, or name another index in UV_DEFAULT_INDEX.",
    )


def version_unreadable(source: str, content: str, form: str) -> BuildpackError:
    """Say that a version file holds something else."""
    return BuildpackError(
        f"{source} does not name a Python version",
        f"It contains {content!r}. Write one line in the form `{form}`.",
    )


def versions_conflict(first: str, first_wants: str, second: str, second_wants: str) -> BuildpackError:
    """Two files ask for Pythons that cannot be one."""
    return BuildpackError(
        f"{first} and {second} ask for different versions of Python",
        f"{first} says {first_wants}, {second} says {second_wants}. Change one of them, or delete it.",
    )


def version_unavailable(source: str, wants: str, available: Sequence[str]) -> BuildpackError:
    """No interpreter on the base image fits."""
    have = ", ".join(available) or "none"
    return BuildpackError(
        f"Python {wants}, asked for by {source}, is not available",
        f"The builder's base image has Python {have}, and no other can be had: PyPI, the only other source, has no\n"
        f"maintained build of CPython. Ask for one of these in {source} (`major.minor` is enough: it takes the patch\n"
        "release that is there), or use a builder with another base.",
    )


def procfile_unreadable(line_number: int, line: str) -> BuildpackError:
    """Say that a line of the Procfile is not `type: command`."""
    return BuildpackError(
        f"Procfile, line {line_number} is not `type: command`",
        f"It reads {line!r}. Write for example `web: python -m model`.",
    )


def process_repeated(process: str) -> BuildpackError:
    """One process type is defined twice."""
    return BuildpackError(
        f"Procfile defines the process `{process}` twice",
        "Delete one of the two lines: only one could ever run.",
    )


def no_web_process(types: Sequence[str]) -> BuildpackError:
    """There is no process for the container to start by itself."""
    found = f"It has only: {', '.join(types)}." if types else "The file is empty."
    return BuildpackError(
        "Procfile has no `web` process",
        f"{found} The container starts `web` by default; add a line such as `web: python -m model`, or delete the\n"
        "file to have the model served as its style says.",
    )


def dangerous_environment(name: str, why: str) -> BuildpackError:
    """Say that a build-time variable would break the build in a way that is hard to see."""
    return BuildpackError(f"{name} may not be set at build time", f"{why} Remove it from the build's environment.")


def project_unreadable(detail: str) -> BuildpackError:
    """pyproject.toml is not TOML."""
    return BuildpackError(
        "pyproject.toml cannot be read", f"{detail}. Correct the file; `uv lock` reports the same place."
    )


def included_file_missing(source: str, name: str) -> BuildpackError:
    """Say that a requirements file includes one that is not in the folder."""
    return BuildpackError(
        f"{source} includes {name}, which is not in the folder",
        "Add the file (and see that project.toml does not exclude it), or delete the line.",
    )
