"""`nos.common.exceptions`."""


class InputValidationException(Exception):
    """The inputs of a call have names that the method does not take."""
