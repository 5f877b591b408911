"""What answers begin with: status line, date, headers."""

from __future__ import annotations

from http import HTTPStatus
from time import gmtime
from typing import Final

from modelwright.server.rest.headers import Written

JSON: Final = (b"content-type", b"application/json")
_JSON_ONLY: Final = [JSON]
_JSON_LINE: Final = b"content-type: application/json\r\n"
CLOSE: Final = (b"connection", b"close")
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
# With these there is no body, nor a length of one.
BODILESS: Final = frozenset((204, 304))
_PHRASES: Final = {int(each): each.phrase for each in HTTPStatus}
# Not strftime's, which are in the words of whatever locale the author's code has set.
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_Written: Final = Written


class Heads:
    """The heads of one process's answers."""

    def __init__(self) -> None:
        self.tick()

    def tick(self) -> None:
        """Write the date anew, which stands in every answer; to be called each second."""
        self._date = b"date: " + _date().encode() + b"\r\n"
        # Until the next second: status line and date by status, and as far as a JSON body's length.
        self._begun: dict[int, bytes] = {}
        self._json: dict[int, bytes] = {}

    def json(self, status: int) -> bytes:
        """Give all that comes before the length of a JSON body."""
        known = self._json.get(status)
        if known is None:
            known = self._json[status] = self.of(status, [JSON]).removesuffix(b"\r\n") + b"content-length: "
        return known

    # The type of `headers` is spelled out, since the compiler sees into no module that it does not compile.
    def of(self, status: int, headers: list[tuple[bytes, bytes]], length: int | None = None) -> bytes:
        """Give a whole head; the headers must be fit for HTTP already, `length` is the body's in bytes."""
        begun = self._begun.get(status)
        if begun is None:
            begun = self._begun[status] = status_line(status) + self._date
        written: bytes = headers.lines if isinstance(headers, _Written) else lines(headers)
        if length is None:
            return b"%b%b\r\n" % (begun, written)
        return b"%b%bcontent-length: %d\r\n\r\n" % (begun, written, length)


def lines(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Give headers as they are written; they must be fit for HTTP already."""
    return b"".join([b"%b: %b\r\n" % (name, value) for name, value in headers])


def joined(first: list[tuple[bytes, bytes]], second: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Give both; the first is not to be used any more."""
    if isinstance(first, _Written):
        first.lines += _JSON_LINE if second == _JSON_ONLY else lines(second)
    first.extend(second)
    return first


def status_line(status: int) -> bytes:
    """Give the line that an answer of this status begins with."""
    return f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n".encode()


def _date() -> str:
    """Give the moment as https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 has it."""
    now = gmtime()
    day = f"{_DAYS[now.tm_wday]}, {now.tm_mday:02d} {_MONTHS[now.tm_mon - 1]} {now.tm_year}"
    return f"{day} {now.tm_hour:02d}:{now.tm_min:02d}:{now.tm_sec:02d} GMT"
