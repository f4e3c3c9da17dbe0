import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shortlist.datasets import schema
from shortlist.datasets.laws import BOUNDS, Bounds, check
from shortlist.errors import InputError


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"user_id": [None, 1]}, "user_id is null in 1 rows"),
        ({"impression_id": [5, 5]}, "impression_id must ascend without repeats; 1 rows"),
        ({"impression_id": [6, 5]}, "row 1 with 5"),
        ({"propensity": [0.0, 1.5]}, "propensity must be above 0 and at most 1; 2 rows"),
        ({"propensity": [1.0, float("nan")]}, "propensity .* row 1 with nan"),
        ({"watch_seconds": [3.0, -0.5]}, "watch_seconds must be at least 0; 1 rows .* -0.5"),
        ({"watch_seconds": [float("inf"), 0.0]}, "watch_seconds .* with inf"),
        ({"position": [-1, 0]}, "position must be at least 0"),
        (
            {"context": pa.array([[None] * 32, None], schema.IMPRESSIONS.field("context").type)},
            "lists of context hold 32 nulls",
        ),
    ],
)
def test_a_broken_law_names_column_count_and_example(small, changed, message):
    with pytest.raises(InputError, match=message):
        check("impressions", small.day(small.days[0], **changed), small.days[0])


def test_a_row_of_another_day_is_refused(small):
    with pytest.raises(InputError, match="day must be 2026-01-06; 2 rows"):
        check("impressions", small.day(small.days[0]), small.days[1])


def test_other_columns_or_types_are_refused(small):
    with pytest.raises(InputError, match="columns or types differ"):
        check("videos", small.videos().drop_columns(["title"]))
    with pytest.raises(InputError, match="columns or types differ"):
        check("users", small.users().cast(pa.schema([
            field.with_type(pa.int32()) if field.name == "user_id" else field
            for field in schema.USERS
        ])))  # fmt: skip


def test_a_null_tag_and_a_duration_of_zero_are_refused(small):
    videos = small.videos()
    at = videos.schema.get_field_index("tags")
    tags = pa.array([["a", None], [], []], schema.VIDEOS.field("tags").type)
    with pytest.raises(InputError, match="lists of tags hold 1 nulls"):
        check("videos", videos.set_column(at, schema.VIDEOS.field("tags"), tags))
    at = videos.schema.get_field_index("duration_seconds")
    zero = pa.array([0.0, 1.0, None], pa.float32())
    with pytest.raises(InputError, match="duration_seconds must be above 0"):
        check("videos", videos.set_column(at, schema.VIDEOS.field("duration_seconds"), zero))


def test_lawful_and_empty_tables_pass(small):
    check("impressions", small.day(small.days[0]), small.days[0])
    check("users", small.users([]))
    check("users", small.users([7]))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.none() | st.floats(), max_size=6))
def test_bounds_break_exactly_outside_and_never_at_null(values):
    bounds = Bounds(0, 1, strict=True)
    expected = [value is not None and not 0 < value <= 1 for value in values]
    assert bounds.broken_by(pa.array(values, pa.float64())).to_pylist() == expected


def test_every_bounded_column_is_in_the_schema():
    for name, columns in BOUNDS.items():
        assert set(columns) <= set(schema.TABLES[name].names)
    assert np.isinf(BOUNDS["impressions"]["watch_seconds"].high)
