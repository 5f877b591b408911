"""Links of the folder: one that leads out of it would be a broken file in the image, or somebody else's."""

from .context import Context
from .errors import link_escapes
from .leftovers import FOLDERS


def check(context: Context) -> None:
    """Raise on a link whose target is not in the folder; environments and version control are left out anyway."""
    root = context.app.resolve()
    for path in sorted(context.app.rglob("*")):
        if path.is_symlink() and not FOLDERS.intersection(path.relative_to(context.app).parts):
            target = path.readlink()
            if not path.resolve().is_relative_to(root):
                raise link_escapes(str(path.relative_to(context.app)), str(target))
