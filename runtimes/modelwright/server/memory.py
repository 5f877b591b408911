"""How much freed memory glibc keeps at hand between requests.

By default it gives a parser's megabytes back to the kernel after each request, which then clears thousands of pages for
the next one: for an image sent as JSON that took longer than reading its numbers.
Source: https://man7.org/linux/man-pages/man3/mallopt.3.html
"""

import ctypes
import os
from typing import Final

# Bytes; also the most that M_MMAP_THRESHOLD takes. What is larger comes from the kernel and goes back to it.
KEPT: Final = 32 * 1024 * 1024
# From malloc.h.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3


def keep_freed() -> None:
    """Keep up to KEPT bytes, unless the environment says what is to be kept; other C libraries are left alone."""
    if any(name in os.environ for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, KEPT)
        mallopt(_TRIM_THRESHOLD, KEPT)
