"""HTTP headers as they are read and written: names in lower case, each with its value."""

Headers = list[tuple[bytes, bytes]]


class Written(list[tuple[bytes, bytes]]):
    """Headers with the lines that they are written as, for those of which most are the same in every answer."""

    __slots__ = ("lines",)
    lines: bytes


class Encoded(dict[str, str]):
    """Headers of a model's with their encoded form: HTTP can carry them all, and none of them is the server's."""

    __slots__ = ("encoded",)
    encoded: Written
