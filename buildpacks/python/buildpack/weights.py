"""Weights stay out of the image: they are mounted where it runs, and would make it slow to build, push and start."""

from . import carried, log
from .context import Context
from .switches import on

SWITCH = "BP_MODELWRIGHT_WITH_WEIGHTS"


def leave_out(context: Context) -> None:
    """Delete weights from the build's copy of the folder, and say which, unless they were asked for."""
    carried.enter(context)
    from modelwright.styles import weight_files  # noqa: PLC0415 - importable from here on

    found = weight_files.left_out(context.app)
    if not found:
        return
    log.header("Weights")
    total = f"{sum(size for _, size in found) / 1e6:.1f} MB"
    names = ", ".join(str(path.relative_to(context.app)) for path, _ in found)
    if on(context, SWITCH, default=False):
        log.info(f"In the image, as {SWITCH} says: {names} ({total})")
        return
    for path, _ in found:
        path.unlink()
    log.info(f"Left out of the image: {names} ({total})")
    log.info(f"Mount them (storageUri), embed a model by its model-settings.json, or set {SWITCH}=true")
