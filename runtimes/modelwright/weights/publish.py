"""From the temporary folder to the final names: renames on one volume, each file whole or absent."""

from collections.abc import Iterable
from pathlib import Path

from modelwright.weights import verify
from modelwright.weights.errors import WeightsError

_READABLE = 0o444
_SEARCHABLE = 0o755


def publish(
    uri: str, tree: Path, files: Iterable[str], folders: Iterable[str], target: Path, stale: Iterable[str]
) -> None:
    """Move `files` from below `tree` to below `target`, readable by any UID, and remove `stale` ones there.

    `folders` are created even where no file is in them. The server may run as another UID than the init
    container. Raises `WeightsError` where a path below the target is in the way or goes through a symbolic link.
    """
    try:
        for name in files:
            origin, goal = tree / name, verify.contained(target, name)
            _folders(target, goal.parent)
            if not origin.is_symlink():
                origin.chmod(origin.stat().st_mode | _READABLE)
            origin.replace(goal)
        for name in folders:
            _folders(target, verify.contained(target, name))
        for name in stale:
            verify.contained(target, name).unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise WeightsError(
            uri, f"{target} cannot take the files: {reason}", "Use an empty volume for the model."
        ) from error


def _folders(target: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    while folder != target:
        if folder.stat().st_mode & _SEARCHABLE != _SEARCHABLE:
            folder.chmod(_SEARCHABLE)
        folder = folder.parent
