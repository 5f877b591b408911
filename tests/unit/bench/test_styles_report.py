from __future__ import annotations

from tests.bench.styles.adapters import Rate, measured
from tests.bench.styles.frames import Pair
from tests.bench.styles.table import adapter_rows, frame_rows, lines, submit_rows

KIB = 1024


def rates(**others: float) -> dict[str, Rate]:
    found = {name: Rate(9_000.0, 10_000.0) for name in measured()}
    found["MLServer"] = Rate(1_000.0, 2_000.0)
    return found | {name: Rate(rate, rate) for name, rate in others.items()}


def verdicts(**others: float) -> dict[str, bool | None]:
    return {row.name: row.met for row in adapter_rows(rates(**others))}


def test_an_adapter_may_cost_fifteen_percent_of_its_own_model_by_hand():
    found = verdicts(kserve=8_500.0, nos=8_499.0)
    assert (found["by hand"], found["MLServer"]) == (None, None)
    assert (found["kserve"], found["nos"], found["infosys"]) == (True, False, True)
    assert found["mlserver beside MLServer"] is True
    assert verdicts(mlserver=8_999.0)["mlserver beside MLServer"] is False


def test_shared_memory_has_to_be_faster_where_tensors_are_large():
    pairs = {16 * KIB: Pair(1e-4, 2e-4), 600 * KIB: Pair(1e-3, 5e-4), 4096 * KIB: Pair(1e-3, 1e-3)}
    assert [row.met for row in frame_rows("replica", pairs)] == [None, True, False]


def test_two_replicas_have_to_be_faster_and_the_table_says_so():
    (row,) = submit_rows("waiting", {1: 100.0, 2: 190.0})
    assert (row.met, round(row.ratio or 0, 2)) == (True, 1.9)
    (slower,) = submit_rows("waiting", {1: 100.0, 2: 100.0})
    told = lines([row, slower, *adapter_rows(rates())])
    assert any(line.startswith("met ") and "190/s on 2" in line for line in told)
    assert any(line.startswith("MISSED") and "100/s on 2" in line for line in told)
    assert row.plain()["met"] is True
