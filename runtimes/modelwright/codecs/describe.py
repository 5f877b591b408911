"""What a caller sent, in a few words that are safe to send back."""

_LONGEST = 60


def describe(value: object) -> str:
    """Name a JSON value's kind, and the value itself where it is short: ``the string 'cat'``, ``null``, ``a list``."""
    match value:
        case None:
            words = "null"
        case bool():
            words = "true" if value else "false"
        case str():
            words = f"the string {quote(value)}"
        case int() | float():
            words = _short(f"the number {value}")
        case list():
            words = f"a list of {len(value)}"
        case dict():
            words = "an object"
        case _:
            # A proxy of the JSON parser's.
            words = "a list" if type(value).__name__ == "Array" else "an object"
    return words


def quote(text: str) -> str:
    """Return a caller's text in quotes, cut to a length that an error message can carry."""
    return repr(_short(text))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
