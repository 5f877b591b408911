"""Ids that nobody gave: random, never the same, in no worker."""

from __future__ import annotations

import os
import random
import uuid
from concurrent.futures import ThreadPoolExecutor

from modelwright.identities import random_uuid


def test_ids_are_random_ones_as_they_are_written_and_never_the_same() -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: random_uuid(), range(1000)))
    assert len(set(made)) == len(made)
    for each in made:
        parsed = uuid.UUID(each)
        assert (str(parsed), parsed.version, parsed.variant) == (each, 4, uuid.RFC_4122)
    # Every other digit is any of the sixteen; after a thousand, one is missing somewhere once in 10^25 times.
    for place in set(range(36)) - {8, 13, 14, 18, 19, 23}:
        assert len({each[place] for each in made}) == 16


def test_who_seeds_random_numbers_does_not_seed_ids() -> None:
    made = []
    for _ in range(2):
        random.seed(7)
        made += [random_uuid() for _ in range(100)]
    assert len(set(made)) == 200


def test_a_worker_does_not_make_its_parent_s_ids() -> None:
    random_uuid()
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(writing, "".join(random_uuid() for _ in range(256)).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    theirs = os.read(reading, 256 * 36).decode()
    os.close(reading)
    os.close(writing)
    assert len(theirs) == 256 * 36
    assert not any(random_uuid() in theirs for _ in range(256))
