"""What a verb raises when its user can mend the matter."""


class CommandError(Exception):
    """A mistake in what was asked; the message names it and the remedy."""
