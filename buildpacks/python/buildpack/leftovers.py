"""What lies in a working folder and belongs in no image: removed from the build's copy of it, not from the author's."""

import shutil

from .context import Context

FOLDERS = frozenset({".git", ".venv", "__pycache__"})


def remove(context: Context) -> None:
    """Delete version control, virtual environments and compiled files, at any depth."""
    for folder in sorted(context.app.rglob("*")):
        if folder.name in FOLDERS and folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
