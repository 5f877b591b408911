"""Every error that a user of the buildpack can see, each with its remedy. Nothing outside this file words one."""

from collections.abc import Sequence


class BuildpackError(Exception):
    """A build that cannot go on for a reason its author can remove."""

    def __init__(self, title: str, remedy: str) -> None:
        super().__init__(f"{title}: {remedy}")
        self.title = title
        self.remedy = remedy


def no_dependencies_file() -> BuildpackError:
    """Neither requirements.txt nor a lockfile is there."""
    return BuildpackError(
        "No requirements.txt and no uv.lock",
        "The folder has Python code but nothing says which packages it needs. Write a requirements.txt beside it\n"
        "(an empty one if it needs none), or a pyproject.toml and run `uv lock`.",
    )


def no_lockfile() -> BuildpackError:
    """Say that a pyproject.toml stands alone."""
    return BuildpackError(
        "pyproject.toml without uv.lock",
        "Dependencies are installed from a lockfile so that two builds give one image. Run `uv lock` and commit\n"
        "uv.lock, or write a requirements.txt instead.",
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
        super().__init__(
            f"{source} cannot be satisfied",
            f"{reason}\nCheck the spelling and the version of the package, and that it has a release\n"
            "for this version of Python. A package from an index of your own needs UV_INDEX at build time.",
        )
        self.reason = reason


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
        f"The builder's base image has Python {have}. Ask for one of these in {source} (`major.minor` is enough:\n"
        "it takes the patch release that is there), or use a builder with another base.",
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
    found = f"It has only: {', '.join(types)}." if types else "The file is missing or empty."
    return BuildpackError(
        "Procfile has no `web` process",
        f"{found} The container starts `web` by default; add a line such as `web: python -m model`.",
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
