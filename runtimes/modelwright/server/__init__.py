"""The model server: REST and gRPC in front of one set of models."""

from collections.abc import Sequence

from modelwright.model import Model
from modelwright.server.arguments import Arguments

__all__ = ["Arguments", "run"]


def run(models: Sequence[Model], arguments: Arguments) -> None:
    """Load `models`, serve them until SIGTERM or SIGINT, drain, and return.

    Raises:
        SystemExit: with code 1 when a model does not load or an address is taken; the reason is on stderr and in the
            container's termination message.

    """
    # Imported here so that whoever only parses arguments does not pay for the server.
    from modelwright.server.start import start  # noqa: PLC0415

    start(models, arguments)
