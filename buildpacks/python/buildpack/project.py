"""What pyproject.toml says, as far as a build needs it. Nothing of the project is imported."""

import tomllib
from dataclasses import dataclass

from .context import Context
from .errors import project_unreadable


@dataclass(frozen=True)
class Project:
    """The parts of pyproject.toml that decide how a folder is built."""

    name: str | None = None
    requires_python: str | None = None
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
        name, requires = table.get("name"), table.get("requires-python")
        return cls(
            name if isinstance(name, str) else None,
            requires if isinstance(requires, str) else None,
            "project" in content and bool(package),
        )
