"""environment.yaml and conda.yaml: conda's dependencies as pip requirements, where they say the same.

Sources: the file's form is https://docs.conda.io/projects/conda/en/latest/user-guide/tasks/manage-environments.html
(name, channels, dependencies with at most one `pip` section), a dependency's is conda's match specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from modelwright.environments.conda_names import NOT_PYTHON, NOT_PYTHON_PREFIXES, OF_THE_INTERPRETER, RENAMED
from modelwright.environments.description import Description, Kind, check_python
from modelwright.environments.requirements import checked
from modelwright.errors import EnvironmentUnusable

_SPECIFICATION: Final = re.compile(
    r"^(?:[\w./:-]+::)?(?P<name>[A-Za-z0-9_.-]+)\s*(?P<version>[=<>!~\s][^\[]*)?(?P<bracket>\[.*\])?$"
)


@dataclass(slots=True)
class _Found:
    requirements: list[str] = field(default_factory=list)
    python: str = ""
    notes: list[str] = field(default_factory=list)


def read(path: Path) -> Description:
    """Describe what a conda environment file asks for.

    Raises:
        EnvironmentUnusable: it is no such file, or names what there is no wheel of.

    """
    try:
        import yaml  # noqa: PLC0415 - only who has a conda file needs the parser
    except ImportError:
        raise EnvironmentUnusable(
            f"{path}: reading YAML needs a parser: pip install pyyaml, or write the packages in a requirements.txt"
        ) from None
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EnvironmentUnusable(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise EnvironmentUnusable(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    return describe(document, str(path))


def describe(document: object, source: str) -> Description:
    """Describe a parsed file; see `read` for what is raised."""
    if not isinstance(document, dict) or not isinstance(document.get("dependencies"), list):
        raise EnvironmentUnusable(
            f"{source}: expected a mapping with 'dependencies', a list, as `conda env export` writes"
        )
    found = _Found()
    if document.get("channels"):
        found.notes.append("channels are not asked: packages come from the Python package index as wheels")
    if "prefix" in document:
        found.notes.append("prefix is ignored: the environment is kept in Modelwright's cache")
    _dependencies(document["dependencies"], source, found)
    check_python(found.python, f"{source}: dependencies")
    return Description(
        Kind.REQUIREMENTS,
        source,
        tuple(dict.fromkeys(found.requirements)),
        found.python,
        name=str(document.get("name") or ""),
        notes=tuple(found.notes),
    )


def _dependencies(dependencies: Sequence[object], source: str, found: _Found) -> None:
    refused, dropped, taken = [], [], []
    for place, each in enumerate(dependencies):
        where = f"{source}: dependencies[{place}]"
        if isinstance(each, Mapping):
            found.requirements += _pip(each, where)
            continue
        name, version = _specification(each, where)
        if name == "python":
            found.python = _python(version)
        elif name in OF_THE_INTERPRETER:
            dropped.append(name)
        elif name in NOT_PYTHON or name.startswith(NOT_PYTHON_PREFIXES):
            refused.append(name)
        else:
            taken.append(name)
            found.requirements.append(RENAMED.get(name, name) + version)
    if refused:
        raise EnvironmentUnusable(
            f"{source}: dependencies: {', '.join(refused)}: there is no wheel of that on the Python package index; "
            "remove it where a wheel brings its own copy (torch's brings CUDA), install it in the image, or pack the "
            "environment with conda-pack and name the tarball instead"
        )
    if dropped:
        found.notes.append(f"left to the interpreter: {', '.join(dropped)}")
    if taken:
        found.notes.append(f"conda's packages taken from the Python package index: {', '.join(taken)}")


def _pip(section: Mapping[Any, Any], where: str) -> Iterable[str]:
    lines = section.get("pip")
    if set(section) != {"pip"} or not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise EnvironmentUnusable(f"{where}: expected 'pip' with a list of requirements, as pip writes them")
    return [checked(line.strip(), f"{where}.pip[{place}]") for place, line in enumerate(lines)]


def _specification(text: object, where: str) -> tuple[str, str]:
    """Give a dependency's name, and its version as pip writes it."""
    match = _SPECIFICATION.match(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise EnvironmentUnusable(f"{where}: {text!r} is no dependency; write it as conda does, such as 'numpy=1.26'")
    version = (match["version"] or "").strip()
    if match["bracket"]:
        inner = re.fullmatch(r"""\[version=['"]?([^'"\]]+)['"]?\]""", match["bracket"])
        if inner is None or version:
            raise EnvironmentUnusable(f"{where}: {text!r}: of [...] only [version='...'] has a counterpart in pip")
        version = inner[1]
    if "|" in version:
        raise EnvironmentUnusable(f"{where}: {text!r}: pip has no 'or' between versions; write one range")
    return match["name"].lower(), _version(version)


def _version(version: str) -> str:
    """Turn conda's version into pip's: `=1.26` means 1.26 and what begins so, a third part is a build."""
    if not version:
        return ""
    if version.startswith("==") or version[0] in "<>!~":
        return version.replace(" ", "")
    exact = version.lstrip("= ")
    number, *build = re.split(r"[=\s]+", exact)
    if number in {"", "*"}:
        return ""
    # `name=1.2=build` is one release, and so is `name 1.2`, which is written with a space; `name=1.2` is its family.
    family = version.startswith("=") and not build and not number.endswith("*")
    return f"=={number}.*" if family else f"=={number}"


def _python(version: str) -> str:
    """Give a version as uv asks for one: a bare number where it names one release or one family."""
    match = re.fullmatch(r"==([\d.]+?)(\.\*)?", version)
    return match[1] if match else version
