import decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets.parsing import parse
from shortlist.datasets.values import Reading

NUMBER, WHOLE, TRUTH, TEXT = pa.float64(), pa.int64(), pa.bool_(), pa.string()
LIST = pa.list_(pa.string())


def parsed(values, kind, reading=None, type_=None):
    """Values and the places at fault."""
    found = parse(pa.array(values, type_), kind, reading or Reading())
    assert found.values.type == kind
    assert not found.bad.null_count
    assert len(found.values) == len(found.bad) == len(values)
    return found.values.to_pylist(), np.flatnonzero(found.bad).tolist()


@pytest.mark.parametrize(
    ("values", "expected", "bad"),
    [
        ([" 1 ", "-2.5", "1e3", "+4", ".5", None], [1, -2.5, 1000, 4, 0.5, None], []),
        (["1", "x", "1_0", "0x1", "inf", "1e999", "nan"], [1] + [None] * 6, [1, 2, 3, 4, 5]),
        ([1, None, 3], [1, None, 3], []),
        ([1.5, float("nan"), float("inf")], [1.5, None, None], [2]),
        ([decimal.Decimal("1.5")], [1.5], []),
        ([True, None], [None, None], [0]),
        ([None, None], [None, None], []),
        ([], [], []),
    ],
)
def test_numbers(values, expected, bad):
    assert parsed(values, NUMBER) == (expected, bad)


def test_numbers_in_a_unit_become_seconds():
    assert parsed(["1500", "x"], NUMBER, Reading(unit="ms")) == ([1.5, None], [1])
    assert parsed([2_000_000], NUMBER, Reading(unit="us")) == ([2.0], [])


@pytest.mark.parametrize(
    ("values", "expected", "bad"),
    [
        (["12", "-3", "12.0", None], [12, -3, 12, None], []),
        (["1.5", "x", "", "12345678901234567890"], [None] * 4, [0, 1, 2, 3]),
        ([2**60, -1], [2**60, -1], []),
        ([1.0, 1.5, float("nan")], [1, None, None], [1]),
        ([True], [None], [0]),
    ],
)
def test_integers(values, expected, bad):
    assert parsed(values, WHOLE) == (expected, bad)


def test_narrow_integers_refuse_what_does_not_fit():
    assert parsed([32767, 32768, -1], pa.int16()) == ([32767, None, -1], [1])


@pytest.mark.parametrize(
    ("values", "reading", "expected", "bad"),
    [
        (["1", "true", "No", "2", None], Reading(), [True, True, False, None, None], [3]),
        ([1, 0, 2], Reading(), [True, False, None], [2]),
        ([1.0, 0.0, float("nan")], Reading(), [True, False, None], []),
        ([True, None], Reading(), [True, None], []),
        (["like", "-"], Reading(true_values=("like",), false_values=("-",)), [True, False], []),
        (["5", "3.5", "x"], Reading(at_least=4), [True, False, None], [2]),
        ([[1]], Reading(), [None], [0]),
    ],
)
def test_truths(values, reading, expected, bad):
    assert parsed(values, TRUTH, reading) == (expected, bad)


@pytest.mark.parametrize(
    ("values", "expected", "bad"),
    [
        (["a| b ||a", "", None], [["a", "b", "a"], [], None], []),
        ([["a", None, " b "], [], None], [["a", "b"], [], None], []),
        ([[1, 2]], [["1", "2"]], []),
        ([3], [None], [0]),
        ([], [], []),
    ],
)
def test_lists(values, expected, bad):
    assert parsed(values, LIST, Reading(separator="|")) == (expected, bad)


def test_a_text_without_a_separator_is_a_list_of_one():
    assert parsed(["a,b"], LIST) == ([["a,b"]], [])


def test_texts_take_digits_of_whole_numbers_and_refuse_structures():
    assert parsed([1, 2], TEXT) == (["1", "2"], [])
    assert parsed([1.0, 2.5], TEXT) == (["1", None], [1])
    assert parsed([b"x"], TEXT) == ([None], [0])
    assert parsed([{"a": 1}, None], TEXT) == ([None, None], [0])


def test_dictionaries_and_wide_texts_are_read_as_what_they_hold():
    encoded = pa.array(["1", "x", "1"]).dictionary_encode()
    assert parse(encoded, NUMBER, Reading()).values.to_pylist() == [1, None, 1]
    assert parsed(["1"], NUMBER, type_=pa.large_string()) == ([1.0], [])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.none() | st.floats(allow_infinity=False, allow_nan=False), max_size=5))
def test_numbers_survive_being_written(values):
    assert parsed([None if v is None else repr(v) for v in values], NUMBER, type_=TEXT) == (
        values,
        [],
    )


@settings(deadline=None, max_examples=40)
@given(st.lists(st.none() | st.integers(-(2**53), 2**53), max_size=5))
def test_integers_survive_being_written(values):
    assert parsed([None if v is None else str(v) for v in values], WHOLE, type_=TEXT) == (
        values,
        [],
    )


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.lists(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1)) | st.none()
    )
)
def test_lists_survive_being_written(values):
    written = [None if value is None else ";".join(value) for value in values]
    assert parsed(written, LIST, Reading(separator=";"), type_=TEXT) == (values, [])
