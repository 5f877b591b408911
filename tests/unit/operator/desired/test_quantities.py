"""Quantities as the API server stores them. The expectations come from apimachinery's quantity_test.go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelwright_operator.desired.canonical import stored_form
from modelwright_operator.desired.quantities import InvalidQuantityError, canonical, value_of


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        (".5", "500m"),
        (1, "1"),
        (0.1, "100m"),
        ("1500m", "1500m"),
        ("2048Mi", "2Gi"),
        ("1.5Gi", "1536Mi"),
        ("1024", "1024"),
        ("512Ki", "512Ki"),
        ("0.5Ki", "512"),
        ("1000k", "1M"),
        ("0", "0"),
        ("0Gi", "0"),
        ("1e3", "1e3"),
        ("100e6", "100e6"),
        ("1E6", "1e6"),
        ("1E", "1E"),
        ("100000", "100k"),
        ("0.0000000001", "1n"),
        ("-2000m", "-2"),
    ],
)
def test_is_written_as_the_api_server_stores_it(written: str | float, stored: str) -> None:
    assert canonical(written) == stored


@pytest.mark.parametrize("text", ["", "abc", "1 Gi", "1gi", "--1", "1Zi"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuantityError, match="quantity"):
        canonical(text)


@given(
    number=st.decimals(min_value=0, max_value=10**6, places=3, allow_nan=False),
    suffix=st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3"]),
)
def test_the_stored_form_means_the_same_and_is_stored_unchanged(number: object, suffix: str) -> None:
    text = f"{number}{suffix}"
    stored = canonical(text)
    assert value_of(stored) == value_of(text)
    assert canonical(stored) == stored


def test_a_bad_quantity_is_left_for_the_api_server_to_refuse() -> None:
    assert stored_form({"resources": {"limits": {"cpu": "lots"}}}) == {"resources": {"limits": {"cpu": "lots"}}}


def test_empty_objects_stay_and_empty_lists_go() -> None:
    assert stored_form({"volumes": [{"name": "v", "emptyDir": {}}], "tolerations": [], "nodeName": None}) == {
        "volumes": [{"name": "v", "emptyDir": {}}]
    }
