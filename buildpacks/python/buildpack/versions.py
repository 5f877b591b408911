"""Which Python is asked for, by whom, and which interpreter answers. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import version_unavailable, version_unreadable, versions_conflict

Release = tuple[int, ...]

_RELEASE = re.compile(r"\d+(\.\d+){1,2}")
_CLAUSE = re.compile(r"(?P<op>===|==|!=|~=|>=|<=|>|<)\s*(?P<release>\d+(?:\.\d+)*)(?P<wild>\.\*)?")


def release(text: str) -> Release:
    """`3.11.2` as (3, 11, 2)."""
    return tuple(int(part) for part in text.split("."))


@dataclass(frozen=True)
class Request:
    """What one file asks for: a specifier set in the form of PEP 440, release segments only."""

    source: str
    wants: str
    clauses: tuple[tuple[str, Release, bool], ...]

    def accepts(self, version: Release) -> bool:
        """Whether an interpreter of this full version satisfies every clause."""
        return all(_holds(version, *clause) for clause in self.clauses)


def _holds(version: Release, operator: str, wanted: Release, wildcard: bool) -> bool:
    prefix = version[: len(wanted)] == wanted
    full = wanted + (0,) * (3 - len(wanted))
    return {
        "===": version == full,
        "==": prefix if wildcard else version == full,
        "!=": not prefix if wildcard else version != full,
        "~=": version >= full and version[: len(wanted) - 1] == wanted[:-1],
        ">=": version >= full,
        "<=": version <= full,
        ">": version > full,
        "<": version < full,
    }[operator]


def from_runtime_txt(text: str) -> Request:
    """Read `python-3.11`, `python-3.11.x` or `python-3.11.7`."""
    line = text.strip()
    match = re.fullmatch(rf"python-(?P<release>{_RELEASE.pattern})(?P<any>\.x|\.\*)?", line)
    if match is None:
        raise version_unreadable("runtime.txt", line, "python-3.11")
    return _exact("runtime.txt", match["release"])


def from_python_version(text: str) -> Request:
    """Read `.python-version`: one line such as `3.11`, comments allowed."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    if len(lines) != 1 or not _RELEASE.fullmatch(lines[0]):
        raise version_unreadable(".python-version", "\n".join(lines), "3.11")
    return _exact(".python-version", lines[0])


def from_conda(source: str, text: str) -> Request:
    """Read a conda file's python, `3.11` or a range such as `>=3.11,<3.13`."""
    return _exact(source, text) if _RELEASE.fullmatch(text) else from_requires_python(text, source)


def _exact(source: str, text: str) -> Request:
    wanted = release(text)
    return Request(source, text, (("==", wanted, len(wanted) < 3),))


def from_requires_python(text: str, source: str = "pyproject.toml's requires-python") -> Request:
    """Read a range in the form of pyproject.toml's `requires-python`, such as `>=3.11,<3.14`."""
    clauses = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        match = _CLAUSE.fullmatch(part)
        if match is None:
            raise version_unreadable(source, text, ">=3.11")
        clauses.append((match["op"], release(match["release"]), match["wild"] is not None))
    return Request(source, text, tuple(clauses))


def choose(requests: Sequence[Request], available: Iterable[Release]) -> Release:
    """Return the newest interpreter that every request accepts; the API's order of files does not matter.

    Raises the conflict of two files where no Python could ever satisfy both, and names what is available otherwise.
    """
    found = sorted(set(available), reverse=True)
    for version in found:
        if all(request.accepts(version) for request in requests):
            return version
    _refuse_conflict(requests)
    culprit = next((request for request in requests if not any(map(request.accepts, found))), None)
    source, wants = (culprit.source, culprit.wants) if culprit else ("this folder", "of any version")
    raise version_unavailable(source, wants, [".".join(map(str, version)) for version in found])


def _refuse_conflict(requests: Sequence[Request]) -> None:
    """Two requests conflict when no Python from 3.0 on can satisfy both, whatever the base image has."""
    conceivable = [(3, minor, patch) for minor in range(40) for patch in range(40)]
    for index, first in enumerate(requests):
        for second in requests[index + 1 :]:
            if not any(first.accepts(version) and second.accepts(version) for version in conceivable):
                raise versions_conflict(first.source, first.wants, second.source, second.wants)
