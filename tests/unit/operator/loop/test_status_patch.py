"""The merge patch that carries a status."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from modelwright_operator.status_writer import merge_patch

values = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2)),
    lambda inner: st.dictionaries(st.text("abc", min_size=1, max_size=1), inner, max_size=3),
    max_leaves=8,
)
statuses = st.dictionaries(st.text("abc", min_size=1, max_size=1), values, max_size=3)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386, section 2, as the kube-apiserver does it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


@given(statuses, statuses)
def test_the_patch_turns_one_status_into_the_other(old, new):
    assert merged(old, merge_patch(old, new)) == new


@given(statuses)
def test_equal_statuses_need_no_patch(status):
    assert merge_patch(status, dict(status)) == {}


def test_a_failure_that_is_over_is_taken_out():
    old = {"modelStatus": {"lastFailureInfo": {"reason": "OOMKilled"}, "copies": {"totalCopies": 1}}}
    new = {"modelStatus": {"copies": {"totalCopies": 1}}}
    assert merge_patch(old, new) == {"modelStatus": {"lastFailureInfo": None}}
