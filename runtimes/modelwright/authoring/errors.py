"""Why an authoring verb could not do what it was asked."""

from __future__ import annotations


class Mistake(Exception):
    """What was asked cannot be done as it is; the message names the field and the remedy."""


class Unreachable(Exception):
    """Nobody answers at the address; the message names it."""


class Refused(Exception):
    """The server answered with an error; `message` is what it said."""

    def __init__(self, message: str, status: str) -> None:
        super().__init__(f"the server answered {status}: {message}")
        self.message = message
        self.status = status
