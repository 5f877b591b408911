"""A plan runs each step after its needs, side by side where it may, and says what is left."""

import io
import threading

import pytest

from demo.plan import Step, StepFailed, run


def test_a_step_waits_for_its_needs_and_no_other() -> None:
    order: list[str] = []
    met = threading.Barrier(2, timeout=10)

    def together(name: str) -> None:
        met.wait()
        order.append(name)

    out = io.StringIO()
    run(
        [
            Step("last", lambda: order.append("last"), needs=("left", "right")),
            Step("left", lambda: together("left")),
            Step("right", lambda: together("right")),
        ],
        out,
        clock=lambda: 65.0,
    )
    assert (sorted(order[:2]), order[2]) == (["left", "right"], "last")
    lines = out.getvalue().splitlines()
    assert lines[0].endswith("last")
    assert lines[2] == "00:00  done    last (0 s)"


def test_a_failure_stops_what_has_not_begun_and_names_the_step() -> None:
    begun: list[str] = []

    def fail() -> None:
        raise RuntimeError("no room on the disk")

    with pytest.raises(StepFailed, match="image: no room on the disk"):
        run([Step("image", fail), Step("chart", lambda: begun.append("chart"), needs=("image",))], io.StringIO())
    assert begun == []


def test_a_need_outside_the_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="step 'a' needs 'b', which is not in the plan"):
        run([Step("a", lambda: None, needs=("b",))], io.StringIO())


def test_a_circle_is_refused_and_not_waited_for() -> None:
    with pytest.raises(ValueError, match="waits for itself"):
        run([Step("a", lambda: None, needs=("b",)), Step("b", lambda: None, needs=("a",))], io.StringIO())
