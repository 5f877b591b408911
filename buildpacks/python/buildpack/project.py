"""What pyproject.toml says, as far as a build needs it. Nothing of the project is imported."""

import json
import tomllib
from dataclasses import dataclass

from .context import Context
from .errors import project_unreadable


@dataclass(frozen=True)
class Project:
    """The parts of pyproject.toml that decide how a folder is built."""

    name: str | None = None
    version: str | None = None
    requires_python: str | None = None
    described: bool = False
    """Whether there is a [project] table, which is what names dependencies."""
    dependencies: str = ""
    """What that table asks for, in a form to compare."""
    installable: bool = False

    @classmethod
    def read(cls, context: Context) -> "Project":
        """Read pyproject.toml, or return an empty project where there is none."""
        text = context.text("pyproject.toml")
        if text is None:
            return cls()
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise project_unreadable(str(error)) from None
        # uv's own rule: a project with a build system is a package unless it says that it is not.
        package = content.get("tool", {}).get("uv", {}).get("package", "build-system" in content)
        table = content.get("project", {})
        asked = [table.get("dependencies", []), table.get("optional-dependencies", {})]
        return cls(
            name=_text(table.get("name")),
            version=_text(table.get("version")),
            requires_python=_text(table.get("requires-python")),
            described="project" in content,
            dependencies=json.dumps(asked, sort_keys=True),
            installable="project" in content and bool(package),
        )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
