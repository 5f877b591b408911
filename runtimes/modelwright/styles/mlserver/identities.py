"""Names for requests whose callers gave them none."""

from __future__ import annotations

from random import getrandbits
from typing import Final

# So many are alike but for their last 48 bits.
_AT_ONCE: Final = 256


class Identities:
    """UUIDs of version 4, at a thirtieth of the standard library's price: names, and no secrets."""

    def __init__(self) -> None:
        self._begun = ""
        self._left = 0

    def new(self) -> str:
        """Return another one."""
        if self._left <= 0:
            text = f"{getrandbits(80):020x}"
            self._begun = f"{text[:8]}-{text[8:12]}-4{text[12:15]}-a{text[15:18]}-"
            self._left = _AT_ONCE
        self._left -= 1
        # Python seeds each forked process anew, so that this differs where the beginning does not.
        ended: str = getrandbits(48).to_bytes(6, "big").hex()
        return self._begun + ended


IDENTITIES: Final = Identities()
