"""Build-time variables that are on or off."""

from .context import Context
from .errors import switch_unreadable


def on(context: Context, name: str, *, default: bool) -> bool:
    """Read `true` or `false`; anything else is an error, since a guess would build another image than was meant."""
    value = context.environment.get(name, "true" if default else "false")
    if value not in ("true", "false"):
        raise switch_unreadable(name, value)
    return value == "true"
