import logging
import time

import pytest
from modelwright.weights.progress import Progress, human, line


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (1 << 52, "4096.0 TiB")]
)
def test_sizes_for_a_reader(size, text):
    assert human(size) == text


@pytest.mark.parametrize(
    ("done", "total", "rate", "text"),
    [
        (0, 1 << 30, 0.0, "fetched 0 B of 1.0 GiB (0%), 0 B/s"),
        (1 << 29, 1 << 30, 1 << 20, "fetched 512.0 MiB of 1.0 GiB (50%), 1.0 MiB/s, 512 s left"),
        (1 << 30, 1 << 30, 1 << 20, "fetched 1.0 GiB of 1.0 GiB (100%), 1.0 MiB/s"),
        (1024, None, 1024, "fetched 1.0 KiB, 1.0 KiB/s"),
        (0, 0, 0.0, "fetched 0 B of 0 B (100%), 0 B/s"),
    ],
)
def test_the_line_that_is_logged(done, total, rate, text):
    assert line(done, total, rate) == text


def test_lines_appear_while_it_runs_and_stop_with_it(caplog):
    caplog.set_level(logging.INFO, "modelwright.weights")
    with Progress(2048, every=0.01) as progress:
        progress.add(1024)
        deadline = time.monotonic() + 5
        while not caplog.messages and time.monotonic() < deadline:
            time.sleep(0.005)
    assert caplog.messages[0].startswith("fetched 1.0 KiB of 2.0 KiB (50%)")
    count = len(caplog.messages)
    time.sleep(0.05)
    assert len(caplog.messages) == count


def test_the_last_line_has_the_whole_even_of_a_short_download(caplog):
    caplog.set_level(logging.INFO, "modelwright.weights")
    with Progress(2048) as progress:
        progress.add(2048)
    assert [message.partition(",")[0] for message in caplog.messages] == ["fetched 2.0 KiB of 2.0 KiB (100%)"]
