"""One environment made: by uv of requirements or a lockfile, or unpacked."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from modelwright.environments import tarball, uv
from modelwright.environments.description import Description, Kind

# What carries tensors between an environment and the server; an author who names a version of it gets that one.
_CARRIER: Final = "numpy"


def make(description: Description, folder: Path) -> None:
    """Make `folder`; raises EnvironmentUnusable where it cannot be made, leaving what there is of it."""
    if description.kind is Kind.TARBALL:
        assert description.path is not None  # noqa: S101
        tarball.unpack(description.path, folder, description.source)
    elif description.kind is Kind.LOCKFILE:
        _locked(description, folder)
    else:
        _required(description, folder)


def _required(description: Description, folder: Path) -> None:
    source = description.source
    uv.run(
        ["venv", "--quiet", "--no-project", "--relocatable", "--python", description.wanted_python, str(folder)], source
    )
    wanted = folder / "requirements.txt"
    wanted.write_text("\n".join([*description.requirements, ""]), encoding="utf-8")
    hashed = any("--hash" in line or line == "--require-hashes" for line in description.requirements)
    # Where each line must have its hash, one of ours without would be refused: the check asks for numpy then.
    carrier = [] if hashed else [_CARRIER]
    uv.run(["pip", "install", "--python", str(folder), "--requirement", str(wanted), *carrier], source)


def _locked(description: Description, folder: Path) -> None:
    assert description.path is not None  # noqa: S101
    source = description.source
    uv.run(
        ["sync", "--locked", "--no-default-groups", "--no-install-project", "--no-editable"],
        source,
        cwd=description.path,
        UV_PROJECT_ENVIRONMENT=str(folder),
        UV_VENV_RELOCATABLE="1",
    )
    uv.run(["pip", "install", "--python", str(folder), _CARRIER], source)
