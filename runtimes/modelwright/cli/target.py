"""What `modelwright serve` is pointed at: a folder, a file, a class of one, or a module by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelwright.cli.errors import CommandError


@dataclass(frozen=True, slots=True)
class Target:
    """`path` is a folder or a Python file; None for a module, named by `module`, that is no file below this folder."""

    path: Path | None
    class_name: str | None = None
    module: str | None = None

    @property
    def folder(self) -> Path:
        """The folder that the model's modules are found in."""
        if self.path is None:
            return Path.cwd()
        return self.path if self.path.is_dir() else self.path.parent

    def __str__(self) -> str:
        written = str(self.path) if self.module is None else self.module
        return f"{written}:{self.class_name}" if self.class_name else written


def read(text: str) -> Target:
    """Tell `DIR`, `DIR:Class`, `FILE.py`, `FILE.py:Class` and `module:Class` apart.

    Raises:
        CommandError: there is no such folder or file.

    """
    if Path(text).is_dir():
        return Target(Path(text))
    left, colon, class_name = text.partition(":")
    if not left or (colon and not class_name.isidentifier()):
        raise CommandError(f"'{text}' is neither DIR, FILE.py, FILE.py:Class nor module:Class")
    if Path(left).exists():
        return Target(Path(left), class_name or None)
    if left.endswith(".py") or not colon:
        raise CommandError(
            f"{left} is not a folder, and no file either: name DIR, FILE.py, FILE.py:Class or module:Class"
        )
    return Target(_file_of(left), class_name, left)


def _file_of(module: str) -> Path | None:
    """Find a module below this folder, where its style can be told without running it."""
    base = Path(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
