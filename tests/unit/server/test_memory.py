"""Freed memory stays at hand: measured in page faults, in a process of its own."""

import os
import resource
import subprocess
import sys

FAULTS = """
import os, resource, sys
from modelwright.server import memory
memory.keep_freed()
for _ in range(3):
    bytearray(os.urandom(1) * 12_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    bytearray(b"x" * 12_000_000)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 10)
"""
PAGES = 12_000_000 / resource.getpagesize()


def faults(**environment: str) -> float:
    known = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, "-c", FAULTS]
    done = subprocess.run(command, env=known | environment, capture_output=True, text=True, timeout=120, check=True)
    return float(done.stdout)


def test_a_large_request_takes_no_new_pages_after_the_first_few() -> None:
    assert faults() < PAGES / 10


def test_the_environment_has_the_last_word() -> None:
    assert faults(MALLOC_TRIM_THRESHOLD_="131072", MALLOC_MMAP_THRESHOLD_="131072") > PAGES
